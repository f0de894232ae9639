//! Components: what stands between BEGIN and END.

use super::line::{Broken, Line};
use super::skipped::Log;

/// Components that stand directly in a calendar, so that one that begins ends the one before.
const TOP: [&str; 6] = [
    "VEVENT",
    "VTODO",
    "VJOURNAL",
    "VFREEBUSY",
    "VTIMEZONE",
    "VAVAILABILITY",
];
/// How deep components may stand in one another.
const DEPTH_MAX: usize = 8;

/// A component with its properties and what stands in it.
#[derive(Debug)]
pub(super) struct Component {
    /// In capitals.
    pub(super) name: String,
    /// Where it begins.
    pub(super) line: u32,
    pub(super) properties: Vec<Line>,
    pub(super) children: Vec<Component>,
    /// Whether its END was there.
    pub(super) closed: bool,
}

impl Component {
    /// The first property with this name.
    pub(super) fn property(&self, name: &str) -> Option<&Line> {
        self.properties.iter().find(|line| line.name == name)
    }

    /// All properties with this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    /// Whether a property has this value, in whatever case.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.property(name)
            .is_some_and(|line| line.value.trim().eq_ignore_ascii_case(value))
    }
}

/// The calendars of a file. What belongs to none is logged.
pub(super) fn calendars(lines: Vec<Result<Line, Broken>>, log: &mut Log) -> Vec<Component> {
    let mut builder = Builder {
        done: Vec::new(),
        open: Vec::new(),
    };
    for line in lines {
        match line {
            Ok(line) => builder.take(line, log),
            Err(broken) => log.add("a line", broken.number, broken.why),
        }
    }
    while builder.close_one(false) {}
    builder.done
}

struct Builder {
    done: Vec<Component>,
    open: Vec<Component>,
}

impl Builder {
    fn take(&mut self, line: Line, log: &mut Log) {
        match line.name.as_str() {
            "BEGIN" => self.begin(&line, log),
            "END" => self.end(&line, log),
            _ => match self.open.last_mut() {
                Some(component) => component.properties.push(line),
                None => log.add("a line", line.number, "it stands outside of a calendar"),
            },
        }
    }

    fn begin(&mut self, line: &Line, log: &mut Log) {
        let name = line.value.trim().to_ascii_uppercase();
        if name == "VCALENDAR" {
            while self.close_one(false) {}
        } else if TOP.contains(&name.as_str()) {
            while self.open.len() > 1 {
                self.close_one(false);
            }
        }
        if self.open.is_empty() && name != "VCALENDAR" {
            log.add(&name, line.number, "it stands outside of a calendar");
        }
        if self.open.len() == DEPTH_MAX {
            log.add(&name, line.number, "it stands too deep in other components");
            self.close_one(false);
        }
        self.open.push(Component {
            name,
            line: line.number,
            properties: Vec::new(),
            children: Vec::new(),
            closed: false,
        });
    }

    fn end(&mut self, line: &Line, log: &mut Log) {
        let name = line.value.trim().to_ascii_uppercase();
        if !self.open.iter().any(|open| open.name == name) {
            log.add(
                format!("END:{name}"),
                line.number,
                "nothing of that name is open",
            );
            return;
        }
        while self.open.last().is_some_and(|open| open.name != name) {
            self.close_one(false);
        }
        self.close_one(true);
    }

    /// Ends the innermost component; false where none is open.
    fn close_one(&mut self, closed: bool) -> bool {
        let Some(mut component) = self.open.pop() else {
            return false;
        };
        component.closed = closed;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(component),
            None if component.name == "VCALENDAR" => self.done.push(component),
            None => {}
        }
        true
    }
}
