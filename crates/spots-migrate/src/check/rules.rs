//! What each rule claims and why it matters.

use spots_findings::Rule;

/// Every rule of `spots migrate check`, by id.
pub const RULES: &[Rule] = &[
    rule(
        "bad-manifest",
        "A manifest says what the engine understands",
        "A key that is misspelt is a condition that is never checked.",
    ),
    rule(
        "branches-touch-same",
        "Nobody changes what another branch builds on",
        "Each side passes alone; merged, the order decides whether it still works.",
    ),
    rule(
        "branches-write-same",
        "Two branches do not change the same object",
        "Each side passes alone; merged, databases apply them in different orders and end up different.",
    ),
    rule(
        "breaking-change",
        "A change that breaks running programs says so",
        "Between the migration and the roll-out of the next release, the previous one still runs.",
    ),
    rule(
        "constraint-scans",
        "A constraint on a table with rows is validated apart",
        "Validation reads the whole table under a lock that stops writers.",
    ),
    rule(
        "created-nowhere",
        "What is used is created",
        "The set works only on databases on which somebody created the rest by hand.",
    ),
    rule(
        "cycle",
        "Dependencies have no cycle",
        "There is no order in which all of them can run.",
    ),
    rule(
        "duplicate-number",
        "A number is given once",
        "Tools take the first, the last, or stop: which one ran differs between databases.",
    ),
    rule(
        "duplicate-object",
        "An object is created once",
        "The second creation fails on every database where the first one ran.",
    ),
    rule(
        "edited-after-release",
        "A released migration stays as it is",
        "Databases that applied it keep the old schema; new ones get another.",
    ),
    rule(
        "empty-script",
        "A script does something",
        "An empty file is recorded as done, whatever it was meant to do.",
    ),
    rule(
        "index-blocks-writes",
        "An index on a table with rows is built concurrently",
        "A plain build locks out every writer until it is done.",
    ),
    rule(
        "not-in-transaction",
        "What no transaction takes runs as journalled steps",
        "The database refuses it, or commits half of the migration.",
    ),
    rule(
        "not-null-scans",
        "NOT NULL on a table with rows is proven first",
        "The scan runs under a lock that stops everybody.",
    ),
    rule(
        "not-null-without-default",
        "A new NOT NULL column has a default",
        "The statement fails on the first table that has a row: in production.",
    ),
    rule(
        "order-changed",
        "The released order stays",
        "Databases have applied it; a new one would come out different.",
    ),
    rule(
        "oversized-file",
        "A migration is no store of data",
        "Such a file is rows, not a change: one transaction holds its locks until the last of them.",
    ),
    rule(
        "overtakes-release",
        "New migrations come after released ones",
        "Databases that are past its number skip it silently, or refuse to go on.",
    ),
    rule(
        "phases-write-same",
        "Phases that write one table have an order",
        "Phases are developed side by side; without an order each assumes that it is first.",
    ),
    rule(
        "removed-after-release",
        "A released migration stays in the set",
        "Databases that applied it refuse the set; new ones lack what it did.",
    ),
    rule(
        "smallest-moves",
        "The order can be mended with these moves",
        "Fewer moves are fewer changes to review.",
    ),
    rule(
        "stray-file",
        "Every file belongs to a migration",
        "A file that is never run is a change that somebody believes is made.",
    ),
    rule(
        "syntax-error",
        "SQL is SQL of its database",
        "It would fail when it is applied.",
    ),
    rule(
        "transaction-in-script",
        "The engine commits, not the script",
        "A COMMIT inside a script tears the change from its record: after a crash nobody knows what is applied.",
    ),
    rule(
        "type-change-rewrites",
        "A column's type is changed beside the old column",
        "The rewrite locks the table for as long as it takes.",
    ),
    rule(
        "unknown-dependency",
        "A dependency is in the set",
        "The order cannot be kept.",
    ),
    rule(
        "unreadable-file",
        "Every file can be read",
        "Nothing can be said about what was not read.",
    ),
    rule(
        "unreadable-sql",
        "A script can be cut into statements",
        "After an open quote nothing can be told apart; a meta-command is read by psql alone.",
    ),
    rule(
        "use-after-drop",
        "Nothing is used after it was dropped",
        "The statement fails on every database.",
    ),
    rule(
        "use-after-rename",
        "What was renamed is called by its new name",
        "The statement fails on every database.",
    ),
    rule(
        "used-before-created",
        "What is used was created before",
        "The statement fails on every new database, and passes on those where an older order ran.",
    ),
];

const fn rule(id: &'static str, title: &'static str, why: &'static str) -> Rule {
    Rule { id, title, why }
}
