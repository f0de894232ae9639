//! Personality profiles: from user to agent, and what the network may know of them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Mover;
use super::moves::{Dialect, Holds, Known, Move, MoveError, Row, Table, Value, Write};
use super::people::{ids, latest};

/// The longest text between quotes that may be a user id, in bytes.
const ID_BYTES_MAX: usize = 128;
/// The longest name of a trait, in bytes; a longer key of a profile is no name.
const TRAIT_BYTES_MAX: usize = 40;
/// The most traits of one agent.
const TRAITS_MAX: usize = 200;

static PROFILES: Table = Table {
    name: "agent_profiles",
    columns: &[("agent_id", Holds::Text), ("profile", Holds::Text)],
    replaces: Some("agent_id"),
};
static ANONYMOUS: Table = Table {
    name: "anonymous_users",
    columns: &[("agent_id", Holds::Text), ("traits", Holds::Text)],
    replaces: Some("agent_id"),
};

/// Profiles by agent. A user id in a profile's text becomes the agent id of the same person.
pub(super) struct Profiles;

impl Move for Profiles {
    fn count(&self) -> String {
        "SELECT count(*) FROM personality_profiles".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        "SELECT o.user_id, p.salt, o.profile
         FROM personality_profiles o CROSS JOIN legacy_upgrade p
         WHERE o.user_id > $1 ORDER BY o.user_id LIMIT $2"
            .to_owned()
    }

    fn tokens(&self, row: &Row) -> Vec<String> {
        quoted(row.text(2)).map(str::to_owned).collect()
    }

    fn lookup(&self) -> &'static str {
        "SELECT old_id, old_id FROM legacy_ids WHERE old_id"
    }

    fn writes(&self, mover: &Mover, rows: &[Row], known: &Known) -> Result<Vec<Write>, MoveError> {
        let profiles = rows.iter().map(|row| profile(mover, row, known)).collect();
        Ok(vec![Write::Insert(&PROFILES, profiles)])
    }
}

fn profile(mover: &Mover, row: &Row, known: &Known) -> Vec<Value> {
    let ids = ids(mover, row);
    let own = row.key();
    let text = replaced(row.text(2), |token| {
        (token == own || known.contains_key(token)).then(|| ids.agent(token).reveal())
    });
    vec![ids.agent(own).reveal().into(), text.into()]
}

/// Traits of each agent: the numbers of their profile, by name.
pub(super) struct Anonymous;

impl Move for Anonymous {
    fn count(&self) -> String {
        "SELECT count(*) FROM agent_profiles".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        "SELECT agent_id, profile FROM agent_profiles
         WHERE agent_id > $1 ORDER BY agent_id LIMIT $2"
            .to_owned()
    }

    fn writes(
        &self,
        _mover: &Mover,
        rows: &[Row],
        _known: &Known,
    ) -> Result<Vec<Write>, MoveError> {
        let anonymous = rows
            .iter()
            .map(|row| vec![row.key().into(), traits(row.text(1)).into()])
            .collect();
        Ok(vec![Write::Insert(&ANONYMOUS, anonymous)])
    }
}

/// What the old application wrote of profiles after they were moved.
pub(super) struct ProfilesAgain;

impl Move for ProfilesAgain {
    fn count(&self) -> String {
        "SELECT count(*) FROM legacy_changes WHERE source = 'personality_profiles'".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        "SELECT c.id, p.salt, o.profile, c.seq
         FROM legacy_changes c CROSS JOIN legacy_upgrade p
         LEFT JOIN legacy_personality_profiles o ON o.user_id = c.id
         WHERE c.source = 'personality_profiles' AND CAST($1 AS TEXT) IS NOT NULL
         ORDER BY c.seq LIMIT $2"
            .to_owned()
    }

    fn tokens(&self, row: &Row) -> Vec<String> {
        Profiles.tokens(row)
    }

    fn lookup(&self) -> &'static str {
        Profiles.lookup()
    }

    fn writes(&self, mover: &Mover, rows: &[Row], known: &Known) -> Result<Vec<Write>, MoveError> {
        let (mut gone, mut profiles, mut anonymous) = (vec![], vec![], vec![]);
        for row in latest(rows) {
            let by_agent = profile(mover, row, known);
            let Some((Value::Text(agent), rest)) = by_agent.split_first() else {
                continue;
            };
            if row.optional(2).is_none() {
                gone.push(vec![agent.clone().into()]);
                continue;
            }
            if let Some(Value::Text(text)) = rest.first() {
                anonymous.push(vec![agent.clone().into(), traits(text).into()]);
            }
            profiles.push(by_agent);
        }
        Ok(vec![
            Write::Each(
                "DELETE FROM agent_profiles WHERE agent_id = $1",
                gone.clone(),
            ),
            Write::Each("DELETE FROM anonymous_users WHERE agent_id = $1", gone),
            Write::Insert(&PROFILES, profiles),
            Write::Insert(&ANONYMOUS, anonymous),
            noted(rows, 3),
        ])
    }
}

/// Takes the notes of these rows away; their numbers stand in this column.
pub(super) fn noted(rows: &[Row], column: usize) -> Write {
    let numbers = rows.iter().map(|row| vec![row.int(column).into()]);
    Write::Each(
        "DELETE FROM legacy_changes WHERE seq = $1",
        numbers.collect(),
    )
}

/// Texts between quotes that may be ids.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|(piece, is_quoted)| {
        (is_quoted && !piece.is_empty() && piece.len() <= ID_BYTES_MAX).then_some(piece)
    })
}

/// The text with texts between quotes replaced; everything else stays as it is, byte for byte.
pub(super) fn replaced(text: &str, by: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, (piece, is_quoted)) in pieces(text).enumerate() {
        if number > 0 {
            out.push('"');
        }
        match by(piece).filter(|_| is_quoted) {
            Some(other) => out.push_str(&other),
            None => out.push_str(piece),
        }
    }
    out
}

/// The text cut at quotes, and which pieces stand between two. An escaped quote is one that no id
/// holds, so it shifts nothing: the parity is kept by looking at the backslashes before it.
fn pieces(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut inside = false;
    text.split('"').scan(0, move |first, piece| {
        let is_quoted = inside;
        let escapes = piece
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        let goes_on = is_quoted && escapes % 2 == 1;
        // A piece that an escaped quote ends or begins is part of a longer text.
        let whole = is_quoted && !goes_on && *first == 0;
        *first = usize::from(goes_on);
        if !goes_on {
            inside = !inside;
        }
        Some((piece, whole))
    })
}

/// The numbers of a profile by the names under which they stand, at any depth.
fn traits(profile: &str) -> String {
    let mut found = BTreeMap::new();
    if let Ok(json) = serde_json::from_str::<Json>(profile) {
        collect(&json, &mut found);
    }
    serde_json::to_string(&found).expect("numbers by name have a JSON form")
}

fn collect(json: &Json, found: &mut BTreeMap<String, f64>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match value.as_f64() {
                    Some(number) if is_trait(name) && found.len() < TRAITS_MAX => {
                        found.entry(name.clone()).or_insert(number);
                    }
                    _ => collect(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn is_trait(name: &str) -> bool {
    name.len() <= TRAIT_BYTES_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_quoted_texts_are_replaced() {
        let by = |token: &str| (token == "u1").then(|| "agent_1".to_owned());
        for (text, wanted) in [
            (r#"{"userId": "u1"}"#, r#"{"userId": "agent_1"}"#),
            (r#"{"u1":1, "a":"u1 "}"#, r#"{"agent_1":1, "a":"u1 "}"#),
            (
                r#"{"a":"say \"u1\" here","b":"u1"}"#,
                r#"{"a":"say \"u1\" here","b":"agent_1"}"#,
            ),
            (r#"["\\","u1"]"#, r#"["\\","agent_1"]"#),
            ("u1", "u1"),
            ("", ""),
        ] {
            assert_eq!(replaced(text, by), wanted);
        }
    }

    #[test]
    fn traits_are_numbers_alone() {
        let profile =
            r#"{"userId":"u1","name":"Ada","dimensions":{"openness":0.5,"u-1":3},"n":[{"age":2}]}"#;
        assert_eq!(traits(profile), r#"{"age":2.0,"openness":0.5}"#);
        assert_eq!(traits("no json"), "{}");
    }
}
