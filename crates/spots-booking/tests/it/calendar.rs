//! Events, recurrences and exceptions.

use spots_booking::Schedule;
use spots_booking::calendar::{CalendarError, Options, read};

use super::{calendar, dates, event, import, only, options, skipped, starts};

#[test]
fn an_event_becomes_an_offer() {
    let text = calendar(
        "BEGIN:VEVENT\r\nUID:1@example.org\r\nSUMMARY:Board games\\, and\r\n  tea\r\n\
         DESCRIPTION:<p>Bring <b>friends</b> &amp; cake.</p>\\n<p>See you!</p>\r\n\
         LOCATION:Caf\u{e9} Mira\\nHauptstr. 1\r\nDTSTART;TZID=Europe/Berlin:20260704T180000\r\n\
         DTEND;TZID=Europe/Berlin:20260704T220000\r\nSTATUS:CONFIRMED\r\nEND:VEVENT",
    );
    let import = import(&["\u{feff}", &text].concat());
    assert!(import.skipped.is_empty(), "{:?}", import.skipped);
    let [event] = import.events.as_slice() else {
        panic!("{:?}", import.events)
    };
    assert_eq!(event.uid.as_deref(), Some("1@example.org"));
    assert_eq!(event.line, 4);
    assert_eq!(event.offer.title, "Board games, and tea");
    assert_eq!(event.offer.description, "Bring friends & cake.\n\nSee you!");
    assert_eq!(event.offer.place, "Caf\u{e9} Mira Hauptstr. 1");
    assert_eq!(event.offer.time_zone, "Europe/Berlin");
    assert_eq!((event.offer.capacity, event.offer.party_max), (Some(20), 4));
    assert_eq!(dates(event), ["2026-07-04T16:00/2026-07-04T20:00"]);
}

#[test]
fn a_rule_without_end_is_cut_at_the_range_and_at_the_limit() {
    let weekly = only(
        "w",
        "DTSTART:20200107T190000Z\nDURATION:PT2H\nRRULE:FREQ=WEEKLY",
    );
    let dates = dates(&weekly);
    assert_eq!(dates.first().unwrap(), "2026-01-06T19:00/2026-01-06T21:00");
    assert_eq!(dates.last().unwrap(), "2027-12-28T19:00/2027-12-28T21:00");
    assert_eq!(dates.len(), 104);

    let text = calendar(&event(
        "h",
        "DTSTART:20260101T000000Z\nDURATION:PT5M\nRRULE:FREQ=HOURLY",
    ));
    let import = import(&text);
    assert_eq!(starts(&import.events[0]).len(), 1000);
    assert_eq!(
        skipped(&import),
        ["4 later dates of “h”: an event has at most 1000 dates; import a shorter range"]
    );
}

#[test]
fn dates_are_added_and_taken_out() {
    let event = only(
        "d",
        "DTSTART;TZID=Europe/Berlin:20260302T180000\nDTEND;TZID=Europe/Berlin:20260302T190000\n\
         RRULE:FREQ=DAILY;COUNT=6\nRRULE:FREQ=WEEKLY;COUNT=3\nEXRULE:FREQ=DAILY;INTERVAL=5;COUNT=2\n\
         RDATE;VALUE=PERIOD:20260401T100000Z/PT3H,20260402T100000Z/20260402T103000Z\n\
         RDATE;VALUE=DATE:20260403\nRDATE:\n\
         EXDATE;TZID=Europe/Berlin:20260303T180000\nEXDATE:20260304T170000Z\nEXDATE;VALUE=DATE:20260305",
    );
    let expected = [
        // 2 and 7 March go by EXRULE; 3, 4 and 5 by EXDATE in three spellings.
        "2026-03-06T17:00/2026-03-06T18:00",
        "2026-03-09T17:00/2026-03-09T18:00",
        "2026-03-16T17:00/2026-03-16T18:00",
        "2026-04-01T10:00/2026-04-01T13:00",
        "2026-04-02T10:00/2026-04-02T10:30",
        "2026-04-03T16:00/2026-04-03T17:00",
    ];
    assert_eq!(dates(&event), expected);
}

#[test]
fn exceptions_replace_their_date() {
    let text = calendar(&[
        // An exception may stand before its series.
        event("s", "RECURRENCE-ID:20260310T170000Z\nDTSTART:20260311T100000Z\nDTEND:20260311T113000Z"),
        event("s", "DTSTART;TZID=Europe/Berlin:20260303T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4"),
        event("s", "RECURRENCE-ID;TZID=Europe/Berlin:20260317T180000\nDTSTART:20260317T170000Z\nSTATUS:CANCELLED"),
        // Moved into the range from before it.
        event("s", "RECURRENCE-ID:20251230T170000Z\nDTSTART:20260102T170000Z\nDTEND:20260102T180000Z"),
    ].concat());
    let import = import(&text);
    assert_eq!(import.events.len(), 1);
    let expected = [
        "2026-01-02T17:00/2026-01-02T18:00",
        "2026-03-03T17:00/2026-03-03T18:00",
        "2026-03-11T10:00/2026-03-11T11:30",
        "2026-03-24T17:00/2026-03-24T18:00",
    ];
    assert_eq!(dates(&import.events[0]), expected);
    assert!(import.skipped.is_empty(), "{:?}", import.skipped);
}

#[test]
fn an_exception_for_all_later_dates_moves_them() {
    let text = calendar(&[
        event("s", "DTSTART;TZID=Europe/Berlin:20260321T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4"),
        event("s", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260328T170000Z\n\
             DTSTART;TZID=Europe/Berlin:20260329T190000\nDURATION:PT2H"),
    ].concat());
    let import = import(&text);
    let expected = [
        "2026-03-21T17:00/2026-03-21T18:00",
        "2026-03-29T17:00/2026-03-29T19:00",
        "2026-04-05T17:00/2026-04-05T19:00",
        "2026-04-12T17:00/2026-04-12T19:00",
    ];
    assert_eq!(dates(&import.events[0]), expected);
}

#[test]
fn exceptions_without_their_series_are_an_event() {
    let text = calendar(
        &[
            event(
                "s",
                "RECURRENCE-ID:20260310T170000Z\nDTSTART:20260311T100000Z\nDURATION:PT1H",
            ),
            event(
                "s",
                "RECURRENCE-ID:20260303T170000Z\nDTSTART:20260303T170000Z\nDURATION:PT1H",
            ),
        ]
        .concat(),
    );
    let import = import(&text);
    assert_eq!(import.events.len(), 1);
    assert_eq!(
        starts(&import.events[0]),
        ["2026-03-03T17:00", "2026-03-11T10:00"]
    );
}

#[test]
fn what_an_exception_left_behind_says_is_not_believed() {
    let series = "SEQUENCE:2\nDTSTART:20260303T170000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20260310T170000Z";
    let text = calendar(&[
        event("s", series),
        event("s", "RECURRENCE-ID:20260310T170000Z\nDTSTART:20260310T180000Z\nDURATION:PT1H"),
        event("s", "SEQUENCE:1\nRECURRENCE-ID:20260305T170000Z\nDTSTART:20260305T180000Z\nDURATION:PT1H"),
        event("s", "SEQUENCE:2\nRECURRENCE-ID:20260317T170000Z\nDTSTART:20260317T180000Z\nDURATION:PT1H"),
        event("s", "SEQUENCE:1\nRECURRENCE-ID:20260317T170000Z\nDTSTART:20260317T190000Z\nDURATION:PT1H"),
    ].concat());
    let import = import(&text);
    assert_eq!(
        starts(&import.events[0]),
        ["2026-03-03T17:00", "2026-03-17T18:00"]
    );
    let expected = [
        "13 one date of “s”: the event takes this date out (EXDATE)",
        "20 one date of “s”: it replaces a date that a newer version of the event has not",
        "36 “s”: a newer entry replaces the same date",
    ];
    assert_eq!(skipped(&import), expected);
}

#[test]
fn entries_of_one_uid_are_told_apart() {
    let one = |title: &str, start: &str, more: &str| {
        format!(
            "BEGIN:VEVENT\nUID:same\nSUMMARY:{title}\nDTSTART:{start}\nDURATION:PT1H\n{more}END:VEVENT\n"
        )
    };
    let text = calendar(
        &[
            one("Old", "20260303T170000Z", ""),
            one("New", "20260304T170000Z", "SEQUENCE:1\n"),
            one("New", "20260304T170000Z", "SEQUENCE:1\n"),
            one("Another", "20260305T170000Z", "SEQUENCE:1\n"),
        ]
        .concat(),
    );
    let import = import(&text);
    let read: Vec<_> = import
        .events
        .iter()
        .map(|event| (event.uid.as_deref(), event.offer.title.as_str(), event.line))
        .collect();
    assert_eq!(read, [(Some("same"), "New", 17), (None, "Another", 24)]);
    let expected = [
        "4 “Old”: it has the UID of the event of line 10, which is newer",
        "10 “New”: it has the UID of the event of line 17, which is newer",
    ];
    assert_eq!(skipped(&import), expected);
}

#[test]
fn days_without_a_time_last_whole_days() {
    let one = only("d", "DTSTART;VALUE=DATE:20260328\nRRULE:FREQ=DAILY;COUNT=2");
    // The second of the two days has 23 hours in Berlin.
    assert_eq!(
        dates(&one),
        [
            "2026-03-27T23:00/2026-03-28T23:00",
            "2026-03-28T23:00/2026-03-29T22:00"
        ]
    );
    let three = only("d", "DTSTART:20260601\nDTEND;VALUE=DATE:20260604");
    assert_eq!(dates(&three), ["2026-05-31T22:00/2026-06-03T22:00"]);
    let same_day = only(
        "d",
        "DTSTART;VALUE=DATE:20260601\nDTEND;VALUE=DATE:20260601",
    );
    assert_eq!(dates(&same_day), ["2026-05-31T22:00/2026-06-01T22:00"]);
    let until = only(
        "d",
        "DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;UNTIL=20260602T220000Z",
    );
    assert_eq!(starts(&until).len(), 2);
}

#[test]
fn the_last_day_of_a_rule_counts() {
    let zoned = "DTSTART;TZID=Europe/Berlin:20260301T233000\nDURATION:PT1H\nRRULE:FREQ=DAILY;";
    for (until, count) in [
        ("UNTIL=20260303T223000Z", 3),
        ("UNTIL=20260303T222959Z", 2),
        ("UNTIL=20260303T233000", 3),
        ("UNTIL=20260303", 3),
    ] {
        assert_eq!(
            starts(&only("u", &[zoned, until].concat())).len(),
            count,
            "{until}"
        );
    }
    let over = calendar(&event("u", &[zoned, "UNTIL=20260228"].concat()));
    assert!(
        import(&over).events.is_empty(),
        "a series that ended before its start is over"
    );
}

#[test]
fn what_does_not_say_how_long_it_lasts_takes_the_length_of_the_import() {
    let text = calendar(&event("x", "DTSTART:20260303T170000Z"));
    let none = import(&text);
    assert!(none.events.is_empty());
    assert!(
        skipped(&none)[0]
            .ends_with("it does not say how long it lasts; say how long such events last")
    );
    let ninety = Options {
        minutes_default: Some(90),
        ..options()
    };
    let some = read(text.as_bytes(), &ninety).unwrap();
    assert_eq!(
        dates(&some.events[0]),
        ["2026-03-03T17:00/2026-03-03T18:30"]
    );
}

#[test]
fn nothing_is_dropped_without_a_word() {
    let good = "DTSTART:20260303T170000Z\nDURATION:PT1H";
    let text = calendar(&[
        event("ok", &[good, "\nATTENDEE;CN=\"A: b\":mailto:a@example.org\nX-OWN:1\nBEGIN:VALARM\nEND:VALARM"].concat()),
        event("private", &[good, "\nCLASS:PRIVATE"].concat()),
        event("cancelled", &[good, "\nSTATUS:CANCELLED"].concat()),
        event("no start", "DURATION:PT1H"),
        event("backwards", "DTSTART:20260303T170000Z\nDTEND:20260303T160000Z"),
        event("long", "DTSTART:20260303T170000Z\nDURATION:P40D"),
        event("past", "DTSTART:20200303T170000Z\nDURATION:PT1H"),
        event("rule", &[good, "\nRRULE:FREQ=SOMETIMES"].concat()),
        format!("BEGIN:VEVENT\n{good}\nEND:VEVENT\n"),
        "BEGIN:VTODO\nSUMMARY:Buy chairs\nEND:VTODO\n".to_owned(),
        "BEGIN:VJOURNAL\nEND:VJOURNAL\n".to_owned(),
        format!("BEGIN:VEVENT\nSUMMARY:open\n{good}\n"),
    ].concat());
    let import = import(&text);
    let titles: Vec<_> = import
        .events
        .iter()
        .map(|event| event.offer.title.as_str())
        .collect();
    assert_eq!(titles, ["ok", "rule"]);
    let expected = [
        "9 ATTENDEE: people are not imported; they book for themselves",
        "10 X-OWN: an event here has no place for it",
        "11 VALARM: reminders are not imported",
        "14 “private”: it is marked as private or confidential; take the mark off to import it",
        "21 “cancelled”: it is cancelled",
        "28 “no start”: it has no DTSTART",
        "37 “backwards”: it ends before it starts",
        "39 a date of “long”: a date lasts at least a second and at most 31 days",
        "39 “long”: it has no date to import from 2026-01-01 until 2028-01-01",
        "45 “past”: it has no date to import from 2026-01-01 until 2028-01-01",
        "56 the RRULE of “rule”: “FREQ=SOMETIMES” is not understood; dates of this rule are not imported",
        "58 “no title”: it has no title (SUMMARY)",
        "62 VTODO “Buy chairs”: only events (VEVENT) are imported",
        "65 VJOURNAL: only events (VEVENT) are imported",
        "67 “open”: the file ends or goes on before END:VEVENT",
    ];
    assert_eq!(skipped(&import), expected);
}

#[test]
fn texts_that_one_date_has_of_its_own_are_told() {
    let text = calendar(
        &[
            event(
                "s",
                "DTSTART:20260303T170000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3",
            ),
            "BEGIN:VEVENT\nUID:s\nSUMMARY:Guest night\nRECURRENCE-ID:20260310T170000Z\n\
         DTSTART:20260310T170000Z\nEND:VEVENT\n"
                .to_owned(),
            "BEGIN:VEVENT\nUID:s\nSUMMARY:s\nCLASS:CONFIDENTIAL\nRECURRENCE-ID:20260317T170000Z\n\
         DTSTART:20260317T170000Z\nEND:VEVENT\n"
                .to_owned(),
        ]
        .concat(),
    );
    let import = import(&text);
    // The length of the series stands in where the exception states none.
    let expected = [
        "2026-03-03T17:00/2026-03-03T18:00",
        "2026-03-10T17:00/2026-03-10T18:00",
    ];
    assert_eq!(dates(&import.events[0]), expected);
    let expected = [
        "11 the title of one date of “s”: all dates of an event share one title",
        "17 one date of “s”: it is marked as private or confidential; take the mark off to import it",
    ];
    assert_eq!(skipped(&import), expected);
}

#[test]
fn long_texts_are_cut_and_told() {
    let long = "y".repeat(5000);
    let lines =
        format!("DTSTART:20260303T170000Z\nDURATION:PT1H\nDESCRIPTION:{long}\nLOCATION:{long}");
    let import = import(&calendar(&event(&"x".repeat(130), &lines)));
    let offer = &import.events[0].offer;
    let lengths = [&offer.title, &offer.description, &offer.place].map(|text| text.chars().count());
    assert_eq!(lengths, [120, 4000, 200]);
    assert_eq!(import.skipped.len(), 3);
    assert!(matches!(offer.schedule, Schedule::Occurrences(_)));
}

#[test]
fn files_of_several_calendars_and_cancellations_are_read() {
    let one = calendar(&event("a", "DTSTART:20260303T170000Z\nDURATION:PT1H"));
    let two = calendar(
        &[
            "METHOD:CANCEL\n",
            &event("b", "DTSTART:20260303T170000Z\nDURATION:PT1H"),
        ]
        .concat(),
    );
    let import = import(&[one, two].concat());
    assert_eq!(import.events.len(), 1);
    assert_eq!(skipped(&import), ["16 “b”: it is cancelled"]);
}

#[test]
fn what_is_no_calendar_is_refused_with_the_next_step() {
    let refused = |bytes: &[u8]| read(bytes, &options()).unwrap_err();
    assert_eq!(
        refused(b"<html>Sign in</html>"),
        CalendarError::NotACalendar
    );
    assert_eq!(refused(b""), CalendarError::NotACalendar);
    assert_eq!(refused(b"\xff\xfeB\0E\0"), CalendarError::NotUtf8);
    assert_eq!(
        refused(b"BEGIN:VCALENDAR\nVERSION:1.0\nEND:VCALENDAR"),
        CalendarError::VCalendar
    );
    let empty = Options {
        until: options().from,
        ..options()
    };
    assert_eq!(read(b"", &empty), Err(CalendarError::EmptyRange));
    let bad = Options {
        time_zone: "Mars/Olympus".to_owned(),
        party_max: 0,
        ..options()
    };
    assert!(matches!(read(b"", &bad), Err(CalendarError::Options(_))));
}
