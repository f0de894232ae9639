//! Types as written, and which of two takes more values.

use super::notation::{canonical, closing, split};

/// What a change of type does to the set of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The same values.
    Same,
    /// More values than before.
    Wider,
    /// Fewer values than before.
    Narrower,
    /// Others.
    Other,
}

/// Names and types of fields.
pub(super) type Fields = Vec<(String, String)>;

/// What a tree knows about its types.
pub(super) trait Lattice {
    /// Whether the tree puts `upper` above `lower`.
    fn is_above(&self, lower: &str, upper: &str) -> bool;
    /// What an alias stands for.
    fn alias(&self, name: &str) -> Option<String>;
    /// The fields of types that are nothing but their fields: of each that the name may stand for.
    fn fields(&self, name: &str) -> Vec<Fields>;
}

/// Deeper types are compared as text only.
const DEPTH_MAX: usize = 24;
/// What the languages' own libraries put above each other.
const BUILT_IN: [(&str, &str); 14] = [
    ("int", "num"),
    ("double", "num"),
    ("List", "Iterable"),
    ("Set", "Iterable"),
    ("Queue", "Iterable"),
    ("int", "Comparable"),
    ("double", "Comparable"),
    ("num", "Comparable"),
    ("String", "Comparable"),
    ("String", "Pattern"),
    ("RegExp", "Pattern"),
    ("DateTime", "Comparable"),
    ("Duration", "Comparable"),
    ("StreamSubscription", "Object"),
];

/// A parsed type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ty {
    Named {
        name: String,
        arguments: Vec<Ty>,
        nullable: bool,
    },
    Function {
        returns: Box<Ty>,
        /// Each with how it is passed (`""`, `"["` or `"{name required"`).
        params: Vec<(String, Ty)>,
        nullable: bool,
    },
    /// One of several, as TypeScript writes it.
    Union(Vec<Ty>),
    /// `{ a: A; b?: B }`: whatever has these fields.
    Object(Vec<(String, Ty)>),
    Text(String),
}

/// Compares two types as written; a type that is not known is the same as any.
pub(super) fn change(old: Option<&str>, new: Option<&str>, lattice: &dyn Lattice) -> Change {
    let (Some(old), Some(new)) = (old, new) else {
        return Change::Same;
    };
    if old == new {
        return Change::Same;
    }
    let old = parse(old, lattice, 0);
    let new = parse(new, lattice, 0);
    let widens = fits(&old, &new, lattice, 0);
    let narrows = fits(&new, &old, lattice, 0);
    match (widens, narrows) {
        (true, true) => Change::Same,
        (true, false) => Change::Wider,
        (false, true) => Change::Narrower,
        (false, false) => Change::Other,
    }
}

/// Names in a type that look like types, in order.
pub(super) fn names_in(ty: &str) -> Vec<String> {
    ty.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
        .filter(|word| word.starts_with(char::is_uppercase) && *word != "Function")
        .map(str::to_owned)
        .collect()
}

/// Replaces whole words in a type.
pub(super) fn substitute(ty: &str, words: &[(String, String)]) -> String {
    if words.is_empty() {
        return ty.to_owned();
    }
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let mut out = String::with_capacity(ty.len());
    let mut rest = ty;
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) {
            rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        let replaced = words.iter().find(|(from, _)| from == token);
        out.push_str(replaced.map_or(token, |(_, to)| to));
        rest = after;
    }
    out
}

/// The name of a type without its arguments, and the arguments.
pub(super) fn head(ty: &str) -> (&str, Vec<&str>) {
    let ty = ty.trim_end_matches('?');
    match ty.split_once('<') {
        Some((name, rest)) => {
            let inner = rest.strip_suffix('>').unwrap_or(rest);
            (name, split(inner, ','))
        }
        None => (ty, Vec::new()),
    }
}

fn parse(text: &str, lattice: &dyn Lattice, depth: usize) -> Ty {
    let text = text.trim();
    if depth > DEPTH_MAX {
        return Ty::Text(text.to_owned());
    }
    if let Some(function) = parse_function(text, lattice, depth) {
        return function;
    }
    let parts = split(text, '|');
    if parts.len() > 1 {
        return Ty::Union(
            parts
                .iter()
                .map(|part| parse(part, lattice, depth + 1))
                .collect(),
        );
    }
    if let Some(object) = parse_object(text, lattice, depth) {
        return object;
    }
    if text.starts_with('(') || text.contains(['&', '{', '[', '=']) {
        return Ty::Text(text.to_owned());
    }
    let nullable = text.ends_with('?');
    let (name, arguments) = head(text);
    if arguments.is_empty()
        && let Some(target) = lattice.alias(name)
    {
        let target = parse(&target, lattice, depth + 1);
        return if nullable {
            nullable_of(target)
        } else {
            target
        };
    }
    Ty::Named {
        name: name.to_owned(),
        arguments: arguments
            .iter()
            .map(|argument| parse(argument, lattice, depth + 1))
            .collect(),
        nullable,
    }
}

fn nullable_of(ty: Ty) -> Ty {
    match ty {
        Ty::Named {
            name, arguments, ..
        } => Ty::Named {
            name,
            arguments,
            nullable: true,
        },
        Ty::Function {
            returns, params, ..
        } => Ty::Function {
            returns,
            params,
            nullable: true,
        },
        Ty::Text(text) => Ty::Text(format!("{text}?")),
        other @ (Ty::Union(_) | Ty::Object(_)) => other,
    }
}

/// `R Function(A a, {required B b})`, with or without names and a `?`.
fn parse_function(text: &str, lattice: &dyn Lattice, depth: usize) -> Option<Ty> {
    let nullable = text.ends_with('?');
    let body = text.trim_end_matches('?');
    let at = body.rfind("Function")?;
    // The last "Function" outside of brackets is this type's own.
    let at = (0..=at)
        .rev()
        .filter(|at| {
            body.get(*at..)
                .is_some_and(|rest| rest.starts_with("Function"))
        })
        .find(|at| balanced(body.get(..*at).unwrap_or("")))?;
    let after = body.get(at + "Function".len()..)?.trim_start();
    let inner = after.strip_prefix('(')?.strip_suffix(')')?;
    let returns = body.get(..at)?.trim();
    let returns = if returns.is_empty() {
        "dynamic"
    } else {
        returns
    };
    let mut params = Vec::new();
    for part in split(inner, ',') {
        if let Some(group) = part
            .strip_prefix('[')
            .and_then(|part| part.strip_suffix(']'))
        {
            for part in split(group, ',') {
                params.push((
                    "[".to_owned(),
                    parse(type_of_param(part).0, lattice, depth + 1),
                ));
            }
        } else if let Some(group) = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            for part in split(group, ',') {
                let (required, part) = match part.strip_prefix("required ") {
                    Some(part) => (" required", part),
                    None => ("", part),
                };
                let (ty, name) = type_of_param(part);
                params.push((format!("{{{name}{required}"), parse(ty, lattice, depth + 1)));
            }
        } else {
            params.push((
                String::new(),
                parse(type_of_param(part).0, lattice, depth + 1),
            ));
        }
    }
    Some(Ty::Function {
        returns: Box::new(parse(returns, lattice, depth + 1)),
        params,
        nullable,
    })
}

/// `{a:A;b?:B}`; `None` where something else than fields is in it.
fn parse_object(text: &str, lattice: &dyn Lattice, depth: usize) -> Option<Ty> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    closing(text).filter(|at| at + 1 == text.len())?;
    let parts = split(inner, ';').into_iter();
    let fields = parts.flat_map(|part| split(part, ',')).map(|part| {
        let (name, ty) = part.split_once(':')?;
        let name = name.trim();
        let name = name.strip_prefix("readonly ").unwrap_or(name);
        let ty = match name.strip_suffix('?') {
            Some(_) => format!("{ty} | undefined"),
            None => ty.to_owned(),
        };
        let name = name.strip_suffix('?').unwrap_or(name);
        let plain = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
        let ty = parse(&ty, lattice, depth + 1);
        name.chars().all(plain).then(|| (name.to_owned(), ty))
    });
    Some(Ty::Object(fields.collect::<Option<_>>()?))
}

/// An object type, or the object types that a name may stand for.
fn objects(ty: &Ty, lattice: &dyn Lattice, depth: usize) -> Vec<Vec<(String, Ty)>> {
    match ty {
        Ty::Object(fields) => vec![fields.clone()],
        Ty::Named {
            name, arguments, ..
        } if arguments.is_empty() => {
            let parsed = |fields: Fields| {
                let fields = fields.into_iter();
                let parsed = fields.map(|(name, ty)| (name, parse(&ty, lattice, depth + 1)));
                parsed.collect()
            };
            lattice.fields(name).into_iter().map(parsed).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the one fits, whichever the names stand for.
fn objects_fit(lower: &Ty, upper: &Ty, lattice: &dyn Lattice, depth: usize) -> bool {
    let (lower, upper) = (
        objects(lower, lattice, depth),
        objects(upper, lattice, depth),
    );
    let mut pairs = lower
        .iter()
        .flat_map(|lower| upper.iter().map(move |upper| (lower, upper)));
    !lower.is_empty()
        && !upper.is_empty()
        && pairs.all(|(lower, upper)| fields_fit(lower, upper, lattice, depth))
}

/// Whether one has all fields that the other asks for.
fn fields_fit(
    lower: &[(String, Ty)],
    upper: &[(String, Ty)],
    lattice: &dyn Lattice,
    depth: usize,
) -> bool {
    let none = Ty::Named {
        name: "undefined".to_owned(),
        arguments: Vec::new(),
        nullable: false,
    };
    upper.iter().all(|(name, wanted)| {
        let given = lower.iter().find(|(own, _)| own == name);
        let given = given.map_or(&none, |(_, given)| given);
        fits(given, wanted, lattice, depth + 1)
    })
}

fn balanced(text: &str) -> bool {
    let open = text.matches(['(', '<', '{', '[']).count();
    open == text.matches([')', '>', '}', ']']).count()
}

/// Type and name of a function type's parameter; the name may be missing.
fn type_of_param(part: &str) -> (&str, &str) {
    let part = part.trim();
    match part.rsplit_once(' ') {
        Some((ty, name))
            if name
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '_')
                && balanced(ty) =>
        {
            (ty, name)
        }
        _ => (part, ""),
    }
}

/// Whether every value of `lower` is one of `upper`.
fn fits(lower: &Ty, upper: &Ty, lattice: &dyn Lattice, depth: usize) -> bool {
    if lower == upper {
        return true;
    }
    if depth > DEPTH_MAX {
        return false;
    }
    if let Ty::Named { name, nullable, .. } = upper {
        if matches!(name.as_str(), "dynamic" | "void" | "unknown" | "any")
            || (name == "Object" && *nullable)
        {
            return true;
        }
        if name == "Object" && !is_nullable(lower) {
            return true;
        }
    }
    if let Ty::Union(parts) = lower {
        return parts
            .iter()
            .all(|part| fits(part, upper, lattice, depth + 1));
    }
    if let Ty::Union(parts) = upper {
        return parts
            .iter()
            .any(|part| fits(lower, part, lattice, depth + 1));
    }
    if is_nullable(lower) && !is_nullable(upper) {
        return false;
    }
    if matches!(lower, Ty::Object(_)) || matches!(upper, Ty::Object(_)) {
        return objects_fit(lower, upper, lattice, depth);
    }
    match (lower, upper) {
        (Ty::Named { .. }, Ty::Named { .. }) => names_fit(lower, upper, lattice, depth),
        (Ty::Function { .. }, Ty::Named { name, .. }) => name == "Function",
        (
            Ty::Function {
                returns: lower_returns,
                params: lower_params,
                ..
            },
            Ty::Function {
                returns, params, ..
            },
        ) => {
            lower_params.len() == params.len()
                && fits(lower_returns, returns, lattice, depth + 1)
                && lower_params.iter().zip(params).all(|(below, above)| {
                    below.0 == above.0 && fits(&above.1, &below.1, lattice, depth + 1)
                })
        }
        _ => false,
    }
}

fn names_fit(lower: &Ty, upper: &Ty, lattice: &dyn Lattice, depth: usize) -> bool {
    let (
        Ty::Named {
            name: lower_name,
            arguments: lower_arguments,
            ..
        },
        Ty::Named {
            name, arguments, ..
        },
    ) = (lower, upper)
    else {
        return false;
    };
    if lower_name == name {
        return arguments_fit(lower_arguments, arguments, lattice, depth);
    }
    if lower_name == "Never" || lower_name == "Null" {
        return true;
    }
    if name == "FutureOr" {
        let value = if lower_name == "Future" {
            lower_arguments.first()
        } else {
            Some(lower)
        };
        let pair = value.zip(arguments.first());
        return pair.is_some_and(|(value, inner)| fits(value, inner, lattice, depth + 1));
    }
    let built_in = |(below, above): &(&str, &str)| below == lower_name && above == name;
    if BUILT_IN.iter().any(built_in) {
        return lower_arguments.is_empty()
            || arguments_fit(lower_arguments, arguments, lattice, depth);
    }
    lattice.is_above(lower_name, name)
}

fn arguments_fit(lower: &[Ty], upper: &[Ty], lattice: &dyn Lattice, depth: usize) -> bool {
    let any = Ty::Named {
        name: "dynamic".to_owned(),
        arguments: Vec::new(),
        nullable: false,
    };
    let count = lower.len().max(upper.len());
    (0..count).all(|at| {
        let lower = lower.get(at).unwrap_or(&any);
        let upper = upper.get(at).unwrap_or(&any);
        fits(lower, upper, lattice, depth + 1)
    })
}

fn is_nullable(ty: &Ty) -> bool {
    match ty {
        Ty::Named { name, nullable, .. } => {
            *nullable || matches!(name.as_str(), "Null" | "dynamic" | "void")
        }
        Ty::Function { nullable, .. } => *nullable,
        Ty::Text(text) => text.ends_with('?'),
        Ty::Object(_) => false,
        Ty::Union(parts) => parts.iter().any(is_nullable),
    }
}

/// A type's text without the names that function types give to positional parameters.
pub(super) fn is_void(ty: Option<&str>) -> bool {
    ty.is_some_and(|ty| canonical(ty) == "void")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree;

    impl Lattice for Tree {
        fn is_above(&self, lower: &str, upper: &str) -> bool {
            (lower, upper) == ("Card", "Method")
        }

        fn alias(&self, name: &str) -> Option<String> {
            (name == "Callback").then(|| "void Function(int value)".to_owned())
        }

        fn fields(&self, name: &str) -> Vec<Fields> {
            let field = |name: &str, ty: &str| (name.to_owned(), ty.to_owned());
            let link = |to: &str| vec![field("url", "string"), field("to", to)];
            match name {
                "Link" => vec![link("string | undefined")],
                "Twin" => vec![link("string | undefined"), link("Target | undefined")],
                "Other" => vec![link("string | undefined"), link("string")],
                _ => Vec::new(),
            }
        }
    }

    #[test]
    fn compares_by_the_values_that_fit() {
        let cases = [
            ("int", "int?", Change::Wider),
            ("int", "num", Change::Wider),
            ("num", "int", Change::Narrower),
            ("String", "int", Change::Other),
            ("Future<Card>", "Future<Method>", Change::Wider),
            ("List<Method>", "List<Card>", Change::Narrower),
            ("List<int>", "Iterable<int>", Change::Wider),
            ("dynamic", "Object?", Change::Same),
            ("Callback", "void Function(int)", Change::Same),
            ("void Function(int a)", "void Function(int b)", Change::Same),
            ("void Function(num)", "void Function(int)", Change::Wider),
            (
                "void Function(int)?",
                "void Function(int)",
                Change::Narrower,
            ),
            ("Future<int>", "FutureOr<int>", Change::Wider),
            ("int", "Future<int>", Change::Other),
            ("(int, String)", "(int, int)", Change::Other),
            ("Object", "Object?", Change::Wider),
            ("string", "string | number", Change::Wider),
            ("Row | undefined", "undefined | Row", Change::Same),
            ("Promise<Row | null>", "Promise<Row>", Change::Narrower),
            ("{url:string}", "Link", Change::Same),
            ("{url:string} | undefined", "Link | undefined", Change::Same),
            ("{url:string;to:string}", "Link", Change::Wider),
            ("{url:string}", "Unknown", Change::Other),
            ("{url:string}", "Twin", Change::Same),
            ("{url:string}", "Other", Change::Narrower),
            ("{url:string}", "{url:string;to?:string}", Change::Same),
            ("{url:string}", "{url:string,to:string}", Change::Narrower),
            ("{url:string}", "{url:string | number}", Change::Wider),
            ("{[key:string]:A}", "{[key:string]:B}", Change::Other),
            (
                "void Function(void Function(int) f)",
                "void Function(void Function(num) g)",
                Change::Wider,
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(
                change(Some(old), Some(new), &Tree),
                expected,
                "{old} → {new}"
            );
        }
    }

    #[test]
    fn replaces_whole_words() {
        let words = [("T".to_owned(), "int".to_owned())];
        assert_eq!(substitute("Map<T, List<Tx>>", &words), "Map<int, List<Tx>>");
    }
}
