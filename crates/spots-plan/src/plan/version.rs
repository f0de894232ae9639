//! Versions of services: MAJOR.MINOR.PATCH.

use std::fmt;
use std::str::FromStr;

/// The step between two versions; the greater breaks more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The same version.
    None,
    /// A fix.
    Patch,
    /// Something new, compatible.
    Minor,
    /// A break.
    Major,
}

impl Step {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "no",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// MAJOR.MINOR.PATCH. In the seed's words: 1.0 first, 2.0 a minor step, 3.0 a major step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Breaks.
    pub major: u32,
    /// Additions.
    pub minor: u32,
    /// Fixes.
    pub patch: u32,
}

impl Version {
    /// The step from an earlier version to this one; `None` when it goes backwards.
    pub fn step_from(self, earlier: Self) -> Option<Step> {
        if self < earlier {
            None
        } else if self.major > earlier.major {
            Some(Step::Major)
        } else if self.minor > earlier.minor {
            Some(Step::Minor)
        } else if self.patch > earlier.patch {
            Some(Step::Patch)
        } else {
            Some(Step::None)
        }
    }

    /// The next version after a step.
    #[must_use]
    pub fn after(self, step: Step) -> Self {
        let Self {
            major,
            minor,
            patch,
        } = self;
        let (major, minor, patch) = match step {
            Step::None => (major, minor, patch),
            Step::Patch => (major, minor, patch.saturating_add(1)),
            Step::Minor => (major, minor.saturating_add(1), 0),
            Step::Major => (major.saturating_add(1), 0, 0),
        };
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no version; write MAJOR.MINOR.PATCH, for example 1.0.0");
        let mut numbers = text.split('.').map(|part| part.parse::<u32>().ok());
        let mut next = || numbers.next().flatten();
        let (Some(major), Some(minor)) = (next(), next()) else {
            return Err(wrong());
        };
        let patch = match text.split('.').count() {
            2 => 0,
            3 => next().ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        Ok(Self {
            major,
            minor,
            patch,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
