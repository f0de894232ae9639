//! What one side of a comparison knows of its types, put together once.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{Contract, Member, MemberKind, Snapshot, TypeKind};
use super::super::types::{Fields, head};

/// The types of one side.
#[derive(Debug, Default)]
pub struct Side<'a> {
    types: Vec<&'a Contract>,
    by_name: BTreeMap<&'a str, Vec<&'a Contract>>,
    above: BTreeMap<&'a str, BTreeSet<&'a str>>,
    aliases: BTreeMap<&'a str, &'a str>,
    interfaces: BTreeMap<&'a str, Vec<&'a Contract>>,
}

impl<'a> Side<'a> {
    /// A snapshot whose services are all compared.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let mut side = Self::new(snapshot.types.iter());
        for contract in snapshot.services.iter().chain(&snapshot.further) {
            side.learn(contract);
        }
        side
    }

    /// Types that signatures may mention; services among them that are not compared count as such.
    pub fn new(types: impl Iterator<Item = &'a Contract>) -> Self {
        let mut side = Self::default();
        for ty in types {
            side.types.push(ty);
            side.by_name.entry(&ty.decl.name).or_default().push(ty);
            side.learn(ty);
        }
        side
    }

    fn learn(&mut self, contract: &'a Contract) {
        let decl = &contract.decl;
        let above = self.above.entry(&decl.name).or_default();
        above.extend(contract.above.iter().map(|name| head(name).0));
        let target = decl.supers.first().filter(|_| decl.kind == TypeKind::Alias);
        if let Some(target) = target.filter(|_| decl.generics.is_empty()) {
            self.aliases.insert(&decl.name, &target.ty);
        }
        if decl.kind == TypeKind::Interface {
            self.interfaces
                .entry(&decl.name)
                .or_default()
                .push(contract);
        }
    }

    /// Learns types that are not compared, only known.
    #[must_use]
    pub fn with(mut self, further: &'a [Contract]) -> Self {
        for contract in further {
            self.learn(contract);
        }
        self
    }

    /// Fields of the interfaces of this name; none where one of them has something else.
    pub(super) fn fields(&self, name: &str) -> Vec<Fields> {
        let field = |member: &Member| {
            let ty = member
                .ty
                .clone()
                .filter(|_| member.kind == MemberKind::Field)?;
            Some((member.name.clone(), ty))
        };
        let of = |contract: &&Contract| -> Option<Fields> {
            let whole = contract.outside.is_empty() && contract.decl.generics.is_empty();
            whole.then(|| contract.members().map(field).collect())?
        };
        let known = self.interfaces.get(name).map_or(&[][..], Vec::as_slice);
        let fields: Option<Vec<Fields>> = known.iter().map(of).collect();
        fields.unwrap_or_default()
    }

    pub(super) fn types(&self) -> &[&'a Contract] {
        &self.types
    }

    pub(super) fn by_name(&self) -> impl Iterator<Item = (&'a str, &[&'a Contract])> {
        let all = self.by_name.iter();
        all.map(|(name, types)| (*name, types.as_slice()))
    }

    pub(super) fn named(&self, name: &str) -> &[&'a Contract] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_above(&self, lower: &str, upper: &str) -> bool {
        let above = self.above.get(lower);
        above.is_some_and(|above| above.contains(upper))
    }

    pub(super) fn alias(&self, name: &str) -> Option<&'a str> {
        self.aliases.get(name).copied()
    }
}
