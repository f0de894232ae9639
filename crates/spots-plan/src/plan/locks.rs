//! Which service is locked when, and why.

use super::{Phase, Plan, Service, Status};

/// What a phase does with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing.
    None,
    /// Reaches it through a service that it uses.
    Reaches,
    /// Uses it.
    Uses,
    /// Modifies it.
    Modifies,
    /// Creates it.
    Creates,
}

impl Role {
    /// The word for it in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Reaches => "reaches",
            Self::Uses => "uses",
            Self::Modifies => "modifies",
            Self::Creates => "creates",
        }
    }
}

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What the phase does with the service.
    pub role: Role,
    /// Whether the service is locked during the phase.
    pub locked: bool,
    /// The service through which the phase reaches it.
    pub through: Option<String>,
}

/// Why a service is locked now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Everything rests on it.
    Core,
    /// An active phase uses it.
    UsedBy(String),
    /// An active phase uses a service that depends on it.
    ReachedBy(String, String),
}

impl Reason {
    /// For people.
    pub fn shown(&self) -> String {
        match self {
            Self::Core => "it is core".to_owned(),
            Self::UsedBy(phase) => format!("phase {phase} uses it"),
            Self::ReachedBy(phase, through) => {
                format!("phase {phase} reaches it through {through}")
            }
        }
    }
}

impl Plan {
    /// A service during a phase, as if that phase were in progress.
    pub fn cell(&self, service: &Service, phase: &Phase) -> Cell {
        let named = |list: &[String]| list.contains(&phase.id);
        let through = self
            .dependents(&service.name)
            .into_iter()
            .filter_map(|name| self.service(name))
            .find(|dependent| {
                dependent.uses.contains(&phase.id) || dependent.modifies.contains(&phase.id)
            })
            .map(|dependent| dependent.name.clone());
        let uses = named(&service.uses);
        let role = if named(&service.creates) {
            Role::Creates
        } else if named(&service.modifies) {
            Role::Modifies
        } else if uses {
            Role::Uses
        } else if through.is_some() {
            Role::Reaches
        } else {
            Role::None
        };
        let own = matches!(role, Role::Creates | Role::Modifies) && !uses;
        let locked = service.core || uses || (through.is_some() && !own);
        Cell {
            role,
            locked,
            through: through.filter(|_| !uses),
        }
    }

    /// Why a service is locked now, the strongest first; empty when it is not.
    pub fn locks(&self, service: &Service) -> Vec<Reason> {
        self.locks_during(service, &|phase| phase.status == Status::Active)
    }

    /// Why it would be locked while these phases are in progress.
    pub fn locks_during(
        &self,
        service: &Service,
        in_progress: &dyn Fn(&Phase) -> bool,
    ) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if service.core {
            reasons.push(Reason::Core);
        }
        for phase in self.phases.iter().filter(|phase| in_progress(phase)) {
            let cell = self.cell(service, phase);
            if service.uses.contains(&phase.id) {
                reasons.push(Reason::UsedBy(phase.id.clone()));
            } else if let (true, Some(through)) = (cell.locked, cell.through) {
                let chain = self.chain(&through, &service.name);
                reasons.push(Reason::ReachedBy(phase.id.clone(), chain.join(" → ")));
            }
        }
        reasons
    }

    /// The shortest chain of declared dependencies, both ends included.
    fn chain(&self, from: &str, to: &str) -> Vec<String> {
        let mut chains = vec![vec![from.to_owned()]];
        let mut seen = std::collections::BTreeSet::from([from.to_owned()]);
        while !chains.is_empty() {
            let mut longer = Vec::new();
            for chain in chains {
                let last = chain.last().and_then(|last| self.service(last));
                for next in last.iter().flat_map(|service| &service.depends_on) {
                    let mut chain = chain.clone();
                    chain.push(next.clone());
                    if next == to {
                        return chain;
                    }
                    if seen.insert(next.clone()) {
                        longer.push(chain);
                    }
                }
            }
            chains = longer;
        }
        vec![from.to_owned(), to.to_owned()]
    }

    /// Active phases that modify or create a service.
    pub fn modifying(&self, service: &Service) -> Vec<&Phase> {
        let named = |phase: &&Phase| {
            service.modifies.contains(&phase.id) || service.creates.contains(&phase.id)
        };
        self.active().filter(named).collect()
    }
}
