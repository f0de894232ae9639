//! Time zones: named, defined by the file, and none.

use super::{calendar, dates, event, import, only, skipped, starts};

#[test]
fn a_series_keeps_its_time_of_day_across_changes_of_the_clocks() {
    let event = only(
        "z",
        "DTSTART;TZID=Europe/Berlin:20260322T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2",
    );
    assert_eq!(starts(&event), ["2026-03-22T17:00", "2026-03-29T16:00"]);
    let utc = only(
        "z",
        "DTSTART:20260322T170000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2",
    );
    assert_eq!(starts(&utc), ["2026-03-22T17:00", "2026-03-29T17:00"]);
}

#[test]
fn skipped_and_repeated_times_are_read_as_the_standard_says() {
    // 29 March 2026: 02:30 does not exist; the offset from before the change, 02:30+01:00.
    // 25 October 2026: 02:30 comes twice; the first, 02:30+02:00.
    let gap = only(
        "g",
        "DTSTART;TZID=Europe/Berlin:20260328T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3",
    );
    assert_eq!(
        starts(&gap),
        ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]
    );
    let fold = only(
        "f",
        "DTSTART;TZID=Europe/Berlin:20261024T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3",
    );
    assert_eq!(
        starts(&fold),
        ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]
    );
}

#[test]
fn an_end_is_exact_and_days_of_a_duration_are_nominal() {
    // The night of 28 to 29 March has an hour less (RFC 5545, section 3.8.5.3).
    let end = only(
        "e",
        "DTSTART;TZID=Europe/Berlin:20260321T220000\nDTEND;TZID=Europe/Berlin:20260322T060000\nRRULE:FREQ=WEEKLY;COUNT=2",
    );
    assert_eq!(dates(&end)[1], "2026-03-28T21:00/2026-03-29T05:00");
    let day = only(
        "e",
        "DTSTART;TZID=Europe/Berlin:20260328T220000\nDURATION:P1D",
    );
    assert_eq!(dates(&day), ["2026-03-28T21:00/2026-03-29T20:00"]);
    let hours = only(
        "e",
        "DTSTART;TZID=Europe/Berlin:20260328T220000\nDURATION:PT24H",
    );
    assert_eq!(dates(&hours), ["2026-03-28T21:00/2026-03-29T21:00"]);
}

#[test]
fn floating_times_are_in_the_calendars_zone_or_the_imports() {
    let floating = event("f", "DTSTART:20260701T100000\nDTEND:20260701T110000");
    let import_one = import(&calendar(&floating));
    assert_eq!(starts(&import_one.events[0]), ["2026-07-01T08:00"]);
    assert_eq!(import_one.events[0].offer.time_zone, "Europe/Berlin");

    let own = import(&calendar(
        &["X-WR-TIMEZONE:America/New_York\n", &floating].concat(),
    ));
    assert_eq!(starts(&own.events[0]), ["2026-07-01T14:00"]);
    assert_eq!(own.events[0].offer.time_zone, "America/New_York");

    let unknown = import(&calendar(
        &["X-WR-TIMEZONE:Middle-earth\n", &floating].concat(),
    ));
    assert_eq!(starts(&unknown.events[0]), ["2026-07-01T08:00"]);
    assert_eq!(
        skipped(&unknown),
        [
            "4 X-WR-TIMEZONE Middle-earth: this time zone is not known; the zone of the import stands in for it"
        ]
    );
}

#[test]
fn a_time_of_utc_is_shown_in_the_calendars_zone() {
    let text = calendar(
        &[
            "X-WR-TIMEZONE:Asia/Tokyo\n",
            &event("u", "DTSTART:20260701T100000Z\nDURATION:PT1H"),
        ]
        .concat(),
    );
    let import = import(&text);
    assert_eq!(starts(&import.events[0]), ["2026-07-01T10:00"]);
    assert_eq!(import.events[0].offer.time_zone, "Asia/Tokyo");
}

#[test]
fn zones_have_many_spellings() {
    for (written, zone, start) in [
        ("Europe/Berlin", "Europe/Berlin", "2026-07-01T08:00"),
        ("\"europe/berlin\"", "Europe/Berlin", "2026-07-01T08:00"),
        (
            "/citadel.org/20210210_1/Europe/Berlin",
            "Europe/Berlin",
            "2026-07-01T08:00",
        ),
        (
            "/mozilla.org/20070129_1/America/Argentina/Buenos_Aires",
            "America/Argentina/Buenos_Aires",
            "2026-07-01T13:00",
        ),
        (
            "W. Europe Standard Time",
            "Europe/Berlin",
            "2026-07-01T08:00",
        ),
        (
            "\"Eastern Standard Time\"",
            "America/New_York",
            "2026-07-01T14:00",
        ),
        (
            "AUS Eastern Standard Time",
            "Australia/Sydney",
            "2026-07-01T00:00",
        ),
    ] {
        let event = only(
            "z",
            &format!("DTSTART;TZID={written}:20260701T100000\nDURATION:PT1H"),
        );
        assert_eq!(
            (event.offer.time_zone.as_str(), starts(&event)[0].as_str()),
            (zone, start),
            "{written}"
        );
    }
}

#[test]
fn an_unknown_zone_is_no_reason_to_guess() {
    let import = import(&calendar(&event(
        "z",
        "DTSTART;TZID=Office time:20260701T100000\nDURATION:PT1H",
    )));
    assert!(import.events.is_empty());
    assert_eq!(
        skipped(&import),
        [
            "4 “z”: its DTSTART is in the time zone “Office time”, which neither is known nor defined in the file"
        ]
    );
}

/// A zone as Outlook writes it: since 1601, with rules for each half of the year.
const OUTLOOK: &str = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\n\
    BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
    BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

#[test]
fn a_zone_that_the_file_defines_has_the_files_rules() {
    // The same civil times in a zone of the file and in the zone whose rules it repeats, also where
    // a time does not exist or comes twice.
    for start in [
        "20260328T023000",
        "20260328T015959",
        "20261024T023000",
        "20260701T000000",
        "20270101T120000",
    ] {
        let lines = |zone: &str| {
            format!("DTSTART;TZID={zone}:{start}\nDTEND;TZID={zone}:{start}\nDURATION:PT90M\nRRULE:FREQ=DAILY;COUNT=4")
                .replace(&format!("DTEND;TZID={zone}:{start}\n"), "")
        };
        let known = only("k", &lines("Europe/Berlin"));
        let import = import(&calendar(
            &[OUTLOOK, &event("k", &lines("Customized Time Zone"))].concat(),
        ));
        assert_eq!(dates(&import.events[0]), dates(&known), "{start}");
        assert_eq!(
            import.events[0].offer.time_zone, "Europe/Berlin",
            "that of the import"
        );
    }
}

#[test]
fn a_zone_may_change_its_rules_by_dates_and_ends() {
    // Summer time by RDATE in 2026, by a rule that ends that year before, and none after.
    let zone = "BEGIN:VTIMEZONE\nTZID:Own\n\
        BEGIN:STANDARD\nDTSTART:20200101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:20210601T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0430\n\
        RRULE:FREQ=YEARLY;UNTIL=20241231T000000Z\nRDATE:20260615T000000\nEND:DAYLIGHT\n\
        BEGIN:STANDARD\nDTSTART:20210901T000000\nTZOFFSETFROM:+0430\nTZOFFSETTO:+0300\n\
        RRULE:FREQ=YEARLY;UNTIL=20261231T000000Z\nEND:STANDARD\nEND:VTIMEZONE\n";
    let event = event(
        "o",
        "DTSTART;TZID=Own:20260601T120000\nDURATION:PT1H\nRDATE;TZID=Own:20260620T120000,20260920T120000,20270620T120000",
    );
    let import = import(&calendar(&[zone, &event].concat()));
    let expected = [
        "2026-06-01T09:00",
        "2026-06-20T07:30",
        "2026-09-20T09:00",
        "2027-06-20T09:00",
    ];
    assert_eq!(starts(&import.events[0]), expected);
}
