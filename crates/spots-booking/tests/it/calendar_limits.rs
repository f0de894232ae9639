//! Limits, hostile files, and files that are damaged.

use proptest::prelude::*;
use spots_booking::calendar::{CalendarError, DATES_MAX, ENTRIES_MAX, FILE_BYTES_MAX, read};

use super::{calendar, event, import, options, skipped, starts};

#[test]
fn a_file_has_a_size() {
    let bytes = vec![b' '; FILE_BYTES_MAX + 1];
    let error = CalendarError::TooLarge {
        bytes: FILE_BYTES_MAX + 1,
    };
    assert_eq!(read(&bytes, &options()), Err(error));
    let many = calendar(&"BEGIN:VEVENT\nEND:VEVENT\n".repeat(ENTRIES_MAX + 1));
    let error = CalendarError::TooManyEntries {
        entries: ENTRIES_MAX + 1,
    };
    assert_eq!(read(many.as_bytes(), &options()), Err(error));
}

/// Rules that never meet a day, or meet too many.
const HOSTILE: [&str; 6] = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;INTERVAL=61;BYSECOND=0;BYHOUR=3;BYMONTH=2;BYMONTHDAY=28",
    "FREQ=MINUTELY;BYYEARDAY=366;BYSETPOS=5",
    "FREQ=DAILY;COUNT=4000000000;BYMONTHDAY=31;BYMONTH=2",
    "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYDAY=MO,TU,WE;BYSETPOS=-1",
];

#[test]
fn a_hostile_rule_ends() {
    for rule in HOSTILE {
        let lines = format!("DTSTART:19700101T120000Z\nDURATION:PT1S\nRRULE:{rule}");
        let import = import(&calendar(&event("h", &lines)));
        let dates: usize = import.events.iter().map(|event| starts(event).len()).sum();
        assert!(dates <= 1000, "{rule}");
        assert!(
            !import.skipped.is_empty() || dates > 0,
            "{rule}: dropped without a word"
        );
    }
}

#[test]
fn what_a_hostile_rule_left_out_is_told() {
    let rule =
        "DTSTART:00010101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;COUNT=9;BYMONTHDAY=30;BYMONTH=2";
    let import = import(&calendar(&event("h", rule)));
    let expected = [
        "4 dates of “h”: its RRULE repeats too finely or never; give its dates one by one (RDATE)",
        "4 “h”: it has no date to import from 2026-01-01 until 2028-01-01",
    ];
    assert_eq!(skipped(&import), expected);
}

#[test]
fn a_file_has_a_number_of_dates() {
    let hourly = "DTSTART:20260101T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY;COUNT=1000";
    let fit = DATES_MAX / 1000;
    let events: String = (0..=fit)
        .map(|index| event(&format!("e{index}"), hourly))
        .collect();
    let import = import(&calendar(&events));
    assert_eq!(import.events.len(), fit);
    let why = "the file has more than 100000 dates; import a shorter range";
    assert_eq!(import.skipped.len(), 1);
    assert_eq!(import.skipped[0].why, why);
}

#[test]
fn deep_and_broken_nesting_is_read() {
    let deep = "BEGIN:X\n".repeat(100_000);
    let good = event("good", "DTSTART:20260303T170000Z\nDURATION:PT1H");
    let text = calendar(&[deep.as_str(), &good, "END:VTODO\n"].concat());
    let import = import(&text);
    assert_eq!(import.events.len(), 1);
}

#[test]
fn a_text_of_nothing_but_markup_is_read_in_time() {
    for piece in ["<", "<a", "&", "<!--", "<script>", "<a href='", "<p><"] {
        let text = piece.repeat(60_000 / piece.len());
        let lines = format!("DTSTART:20260303T170000Z\nDURATION:PT1H\nDESCRIPTION:{text}\n");
        let events: String = (0..4)
            .map(|index| event(&index.to_string(), &lines))
            .collect();
        assert_eq!(import(&calendar(&events)).events.len(), 4, "{piece}");
    }
}

const SEED: &str = "X-WR-TIMEZONE:Europe/Berlin
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:1
SEQUENCE:1
SUMMARY:A <b>night</b>\\, &amp; more
DESCRIPTION:<a href=\"https://example.org\">x</a>\\n
 folded
DTSTART;TZID=Customized Time Zone:20260303T180000
DTEND;TZID=\"Europe/Berlin\":20260303T230000
RRULE:FREQ=MONTHLY;BYDAY=1TU,-1FR;BYSETPOS=-1;UNTIL=20270301T000000Z;WKST=SU
RDATE;VALUE=PERIOD:20260401T100000Z/PT3H
EXDATE;VALUE=DATE:20260505
BEGIN:VALARM
TRIGGER:-PT10M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:1
SUMMARY:moved
RECURRENCE-ID;RANGE=THISANDFUTURE:20260602T160000Z
DTSTART;VALUE=DATE:20260603
DURATION:P1DT2H
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:weeks
DTSTART:99991231T235959Z
DURATION:P2D
RRULE:FREQ=YEARLY;BYWEEKNO=53,-1;INTERVAL=9;COUNT=3
END:VEVENT";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever bytes a file has, it is read or refused, and what comes out keeps the limits.
    #[test]
    fn reading_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..6, any::<u8>()), 0..12),
    ) {
        let mut bytes = calendar(SEED).into_bytes();
        for (place, edit, byte) in edits {
            let at = place.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes[at] = b'0' + byte % 10,
                2 => { bytes.remove(at); }
                3 => bytes.insert(at, b":;=,\n\r\"TZ-9<&\\"[usize::from(byte) % 14]),
                4 => { let line: Vec<u8> = bytes[at..].iter().copied().take(usize::from(byte)).collect(); bytes.extend(line); }
                _ => bytes.truncate(at.max(40)),
            }
        }
        if let Ok(import) = read(&bytes, &options()) {
            for event in import.events {
                prop_assert_eq!(event.offer.clone().check(), Ok(event.offer));
            }
        }
    }

    /// Rules of any form end, with dates in order and in the range.
    #[test]
    fn any_rule_ends(
        frequency in prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]),
        parts in prop::collection::vec(prop::sample::select(vec![
            "INTERVAL=2", "INTERVAL=999999999", "COUNT=7", "UNTIL=20270101", "BYMONTH=2,11", "BYMONTHDAY=-1,30",
            "BYYEARDAY=366,-366", "BYWEEKNO=1,53,-53", "BYDAY=MO,-5TU,53WE", "BYHOUR=0,23", "BYMINUTE=59",
            "BYSECOND=0,60", "BYSETPOS=-1,366", "WKST=SU",
        ]), 0..6),
        start in prop::sample::select(vec!["00010101T000000Z", "16010101T120000Z", "20260228T235959Z", "99991231T235959Z"]),
    ) {
        let rule = format!("FREQ={frequency};{}", parts.join(";"));
        let lines = format!("DTSTART:{start}\nDURATION:PT1H\nRRULE:{rule}");
        let import = import(&calendar(&event("r", &lines)));
        for event in &import.events {
            let starts = starts(event);
            prop_assert!(starts.is_sorted() && starts.len() <= 1000);
            prop_assert!(starts.iter().all(|start| ("2026".."2028").contains(&&start[..4])));
        }
    }
}
