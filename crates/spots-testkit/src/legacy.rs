//! An old SPOTS database of any size, the same for the same seed.

use std::fmt::Write as _;

/// How large a database is generated, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldDatabase {
    /// Rows of `users`.
    pub users: u64,
    /// Attendances in all lists together, at least.
    pub attendances: u64,
    /// Another seed gives other rows.
    pub seed: u64,
}

/// The old tables, in the order in which they are filled.
pub const TABLES: [&str; 4] = [
    "users",
    "personality_profiles",
    "expertise_events",
    "community_events",
];
/// What every e-mail address of a generated database ends with.
pub const MAIL_DOMAIN: &str = "@old.example";
/// What every clear name in it begins with.
pub const NAME_PREFIX: &str = "Oldname";
/// Attendees of an event on average.
const LIST_LENGTH: u64 = 50;
/// Rows of one statement.
const CHUNK: u64 = 250;
/// When the first event began, in seconds since the Unix epoch.
const FIRST_START: u64 = 1_700_000_000;

impl OldDatabase {
    /// The id of a user: a UUID, as the old database had them.
    pub fn user_id(&self, number: u64) -> String {
        uuid(self.seed, 1, number)
    }

    /// The events of one old table.
    pub fn events(&self) -> u64 {
        (self.attendances / LIST_LENGTH).div_ceil(2).max(1)
    }

    /// Statements that fill the empty old tables, on either database.
    pub fn statements(self) -> impl Iterator<Item = String> {
        let users = self.chunks(TABLES[0], self.users, |old, n| Some(old.user_row(n)));
        let profiles = self.chunks(TABLES[1], self.users, Self::profile_row);
        let expert = self.chunks(TABLES[2], self.events(), |old, n| Some(old.event_row(2, n)));
        let community = self.chunks(TABLES[3], self.events(), |old, n| Some(old.event_row(3, n)));
        users.chain(profiles).chain(expert).chain(community)
    }

    fn chunks(
        self,
        table: &'static str,
        rows: u64,
        row: impl Fn(&Self, u64) -> Option<String>,
    ) -> impl Iterator<Item = String> {
        (0..rows.div_ceil(CHUNK)).filter_map(move |chunk| {
            let numbers = chunk * CHUNK..rows.min((chunk + 1) * CHUNK);
            let rows: Vec<_> = numbers.filter_map(|number| row(&self, number)).collect();
            (!rows.is_empty()).then(|| format!("INSERT INTO {table} VALUES {};", rows.join(", ")))
        })
    }

    fn user_row(&self, number: u64) -> String {
        let mut dice = Dice::new(self.seed, 10, number);
        let id = self.user_id(number);
        // One in fifty never gave an address, some gave nothing at all.
        let email = (dice.below(50) > 0).then(|| format!("'User{number}{MAIL_DOMAIN}'"));
        let name = (dice.below(20) > 0).then(|| format!("'{NAME_PREFIX} O''Neil-Ünal {number}'"));
        let phone = (dice.below(3) == 0).then(|| format!("'+4930{number:08}'"));
        let birthday = (dice.below(2) == 0).then(|| {
            let (year, month, day) = (
                1940 + dice.below(65),
                1 + dice.below(12),
                1 + dice.below(28),
            );
            format!("'{year}-{month:02}-{day:02}'")
        });
        let null = || "NULL".to_owned();
        format!(
            "('{id}', {}, {}, {}, {})",
            email.unwrap_or_else(null),
            name.unwrap_or_else(null),
            phone.unwrap_or_else(null),
            birthday.unwrap_or_else(null)
        )
    }

    fn profile_row(&self, number: u64) -> Option<String> {
        let mut dice = Dice::new(self.seed, 11, number);
        if dice.below(10) == 0 {
            return None;
        }
        let (id, friend) = (self.user_id(number), self.user_id(dice.below(self.users)));
        let (a, b) = (dice.below(1000), dice.below(1000));
        Some(format!(
            "('{id}', '{{\"userId\": \"{id}\", \"archetype\":\"a \\\"quoted\\\" word\", \
             \"dimensions\": {{\"exploration\": 0.{a:03}, \"community\":0.{b:03}}}, \
             \"met\":[\"{friend}\"]}}')"
        ))
    }

    fn event_row(&self, table: u64, number: u64) -> String {
        let mut dice = Dice::new(self.seed, 20 + table, number);
        let id = uuid(self.seed, table, number);
        // Few hosts have many events.
        let host = dice.below(self.users.div_ceil(100));
        let host = self.user_id(dice.below(host + 1));
        let starts = FIRST_START + number * 3_600;
        let ends = starts + 7_200;
        let list = self.list(&mut dice, number);
        format!("('{id}', '{host}', 'Evening {number}', {starts}, {ends}, '{list}')")
    }

    /// A list of attendees, written as old applications wrote them.
    fn list(&self, dice: &mut Dice, number: u64) -> String {
        let length = if number % 97 == 5 {
            0
        } else {
            LIST_LENGTH + dice.below(8)
        };
        // Neighbours by a stride that meets nobody twice while the list is shorter than the people.
        let (first, stride) = (
            dice.below(self.users),
            1 + dice.below(self.users.div_ceil(200)),
        );
        let mut ids: Vec<_> = (0..length.min(self.users))
            .map(|at| self.user_id((first + at * stride) % self.users))
            .collect();
        ids.dedup();
        if number % 31 == 7 {
            // Somebody who left without a trace.
            ids.push(uuid(self.seed, 9, number));
        }
        if number % 41 == 3
            && let Some(twice) = ids.first().cloned()
        {
            ids.push(twice);
        }
        let between = match number % 10 {
            0..6 => ",",
            6..9 => ", ",
            _ => " ,\n ",
        };
        let mut text = String::from("[");
        for (at, id) in ids.iter().enumerate() {
            let between = if at > 0 { between } else { "" };
            write!(text, "{between}\"{id}\"").expect("a String takes any text");
        }
        text.push(']');
        text
    }
}

/// Numbers that look random: `SplitMix64`.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Another stream for every topic and number.
    pub fn new(seed: u64, topic: u64, number: u64) -> Self {
        let mut dice = Self(seed ^ topic.rotate_left(48) ^ number.rotate_left(17));
        dice.roll();
        dice
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below this one.
    pub fn below(&mut self, most: u64) -> u64 {
        self.roll() % most.max(1)
    }
}

fn uuid(seed: u64, topic: u64, number: u64) -> String {
    let mut dice = Dice::new(seed, 100 + topic, number);
    let (high, low) = (dice.roll(), dice.roll());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_rows() {
        let old = OldDatabase {
            users: 300,
            attendances: 2_000,
            seed: 7,
        };
        let first: Vec<_> = old.statements().collect();
        assert_eq!(first, old.statements().collect::<Vec<_>>());
        let other = OldDatabase { seed: 8, ..old };
        assert_ne!(first, other.statements().collect::<Vec<_>>());
        let ids: std::collections::BTreeSet<_> = (0..300).map(|n| old.user_id(n)).collect();
        assert_eq!(ids.len(), 300);
    }
}
