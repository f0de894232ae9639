//! What stands above a type, and what it has from there.

use std::collections::BTreeSet;

use super::World;
use super::facts::{is_inherited, is_public};
use crate::contract::model::{How, Member, MemberKind, Origin, Param, TypeDecl, TypeKind};
use crate::contract::types::{head, substitute};

/// Chains of inheritance longer than this are cut.
const ABOVE_MAX: usize = 256;

impl World {
    /// Visits what stands above a type and the members that it has from there, the nearest first.
    pub(super) fn inherited(
        &self,
        file: usize,
        decl: &TypeDecl,
        blocks: &[(usize, &TypeDecl)],
        visit: &mut dyn FnMut(Above<'_>),
    ) {
        let own = public(decl, blocks).chain(&decl.members);
        let mut seen: BTreeSet<(&str, MemberKind)> =
            own.map(|member| (&*member.name, member.kind)).collect();
        let mut parts = vec![(file, decl)];
        parts.extend(blocks);
        self.walk_above(&parts, &mut |walked| match walked {
            Walked::Outside(name) => visit(Above::Outside(name)),
            Walked::Type(file, above, words) => {
                visit(Above::Type(&above.name));
                for member in above.members.iter().filter(|member| is_inherited(member)) {
                    if seen.insert((&member.name, member.kind)) {
                        visit(Above::Member {
                            from: &above.name,
                            file,
                            member,
                            words,
                        });
                    }
                }
            }
        });
    }

    /// Walks all types above one that these parts declare, the nearest first.
    fn walk_above<'w>(
        &'w self,
        parts: &[(usize, &'w TypeDecl)],
        visit: &mut dyn FnMut(Walked<'_, 'w>),
    ) {
        let start = parts.iter().map(|(file, decl)| (*file, *decl, Vec::new()));
        let mut next: Vec<Step<'_>> = start.collect();
        let first = parts.iter().take(1);
        let mut seen: BTreeSet<(usize, &str)> =
            first.map(|(file, decl)| (*file, &*decl.name)).collect();
        let mut at = 0;
        while let Some((file, decl, words)) = next.get(at).cloned() {
            at += 1;
            for above in &decl.supers {
                if decl.kind == TypeKind::Alias && above.how != How::Extends {
                    continue;
                }
                let ty = substitute(&above.ty, &words);
                let (name, arguments) = head(&ty);
                let Some((found_in, found)) = self.find(name, file) else {
                    visit(Walked::Outside(name));
                    continue;
                };
                if next.len() > ABOVE_MAX || !seen.insert((found_in, &found.name)) {
                    continue;
                }
                let words: Vec<(String, String)> = found
                    .generics
                    .iter()
                    .map(|generic| generic.split(' ').next().unwrap_or(generic).to_owned())
                    .zip(arguments.into_iter().map(str::to_owned))
                    .collect();
                visit(Walked::Type(found_in, found, &words));
                next.push((found_in, found, words));
            }
        }
    }

    /// The type that `this.x`, `super.x` or an untyped parameter has, where it states none.
    pub(super) fn type_elsewhere(
        &self,
        param: &Param,
        file: usize,
        decl: &TypeDecl,
    ) -> Option<String> {
        if param.ty.is_some() {
            return None;
        }
        match param.origin {
            Origin::Own => Some("dynamic".to_owned()).filter(|_| self.dynamic(file)),
            Origin::Field => {
                let members = decl.members.iter();
                members
                    .filter(|field| field.kind == MemberKind::Field && field.name == param.name)
                    .find_map(|field| field.ty.clone())
            }
            Origin::Super => self.type_above(file, decl, &param.name),
        }
    }

    /// The type of a superclass's constructor parameter with this name.
    fn type_above(&self, file: usize, decl: &TypeDecl, name: &str) -> Option<String> {
        let mut ty = None;
        self.walk_above(&[(file, decl)], &mut |walked| {
            if let Walked::Type(_, above, words) = walked
                && ty.is_none()
            {
                let constructors = above
                    .members
                    .iter()
                    .filter(|member| member.kind == MemberKind::Constructor);
                let mut params = constructors.flat_map(|constructor| &constructor.params);
                let param = params.find(|param| param.name == name);
                let fields = above
                    .members
                    .iter()
                    .filter(|member| member.kind == MemberKind::Field);
                let field = fields
                    .filter(|field| field.name == name)
                    .find_map(|field| field.ty.clone());
                let found = param.and_then(|param| param.ty.clone()).or(field);
                ty = found.map(|found| substitute(&found, words));
            }
        });
        ty
    }
}

/// The public members of a type, with those of its blocks.
pub(super) fn public<'a>(
    decl: &'a TypeDecl,
    blocks: &[(usize, &'a TypeDecl)],
) -> impl Iterator<Item = &'a Member> {
    let blocks: Vec<&TypeDecl> = blocks.iter().map(|(_, block)| *block).collect();
    let of_blocks = blocks.into_iter().flat_map(|block| &block.members);
    let all = decl.members.iter().chain(of_blocks);
    all.filter(|member| is_public(member))
}

/// A type on the way up, where it is declared, and the words to put in for its parameters.
type Step<'w> = (usize, &'w TypeDecl, Vec<(String, String)>);

/// A step up from a type: `'w` is what the tree holds.
enum Walked<'a, 'w> {
    Outside(&'a str),
    Type(usize, &'w TypeDecl, &'a [(String, String)]),
}

/// What stands above a type.
pub(super) enum Above<'a> {
    /// A type that the tree does not declare.
    Outside(&'a str),
    /// A type of the tree.
    Type(&'a str),
    /// A member that comes from there, with the words to put in for the type's parameters.
    Member {
        from: &'a str,
        file: usize,
        member: &'a Member,
        words: &'a [(String, String)],
    },
}
