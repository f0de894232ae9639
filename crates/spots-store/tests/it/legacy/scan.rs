//! Looks through every row of every table for what must not stand there.

use std::collections::BTreeSet;

use spots_testkit::legacy::{MAIL_DOMAIN, NAME_PREFIX, OldDatabase};

use super::place::Place;

/// Tables about accounts: there a user id belongs. Everywhere else SPOTS knows an agent.
const OF_ACCOUNTS: [&str; 9] = [
    "host_members",
    "legacy_ids",
    "sessions",
    "sharing_defaults",
    "user_agent_mappings",
    "user_credentials",
    "user_keys",
    "user_profiles",
    "users",
];
const UUID_CHARS: usize = 36;
const USER_ID_CHARS: usize = 27;

/// No old or new user id, no address and no name is left, in any column or text, but where accounts
/// are kept; and an agent id stands in no table of accounts.
pub(super) async fn no_user_id_is_left(place: &Place, old: OldDatabase) {
    let ids: BTreeSet<String> = (0..old.users).map(|number| old.user_id(number)).collect();
    let mut seen = 0_u64;
    for table in place.tables().await {
        let of_accounts = OF_ACCOUNTS.contains(&table.as_str());
        place
            .each_row(&table, &mut |row| {
                seen += 1;
                assert!(!row.contains(MAIL_DOMAIN), "{table}: {row}");
                // A host is public.
                assert!(
                    table == "hosts" || !row.contains(NAME_PREFIX),
                    "{table}: {row}"
                );
                if of_accounts {
                    assert!(!row.contains("agent_"), "{table}: {row}");
                } else {
                    assert_eq!(user_id(row, &ids), None, "{table}: {row}");
                }
            })
            .await;
    }
    assert!(seen > old.users + old.attendances, "{seen}");
}

fn user_id<'a>(row: &'a str, ids: &BTreeSet<String>) -> Option<&'a [u8]> {
    let old = row
        .as_bytes()
        .windows(UUID_CHARS)
        .filter(|part| part[8] == b'-' && part[13] == b'-')
        .find(|part| std::str::from_utf8(part).is_ok_and(|text| ids.contains(text)));
    let new = || {
        row.as_bytes().windows(USER_ID_CHARS).find(|part| {
            part.starts_with(b"user_") && !part[5..].contains(&b'_') && is_id(&part[5..])
        })
    };
    old.or_else(new)
}

fn is_id(part: &[u8]) -> bool {
    part.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && part.iter().any(u8::is_ascii_uppercase)
}
