//! One line of a frozen contract.

use super::super::model::{
    Contract, How, Inherited, Mark, Member, MemberKind, Origin, Param, Passing, TypeKind,
};
use super::super::notation::{around, closing, grouped, split};

/// A member as one line.
pub(super) fn render(member: &Member) -> String {
    let mut out = format!("{} ", member.kind.as_str());
    let marks: Vec<&str> = member.marks.iter().map(|mark| mark.as_str()).collect();
    if !marks.is_empty() {
        out.extend([format!("[{}] ", marks.join(" "))]);
    }
    out.push_str(&name(&member.name));
    if !member.generics.is_empty() {
        out.extend([format!("<{}>", member.generics.join(", "))]);
    }
    if matches!(
        member.kind,
        MemberKind::Constructor | MemberKind::Method | MemberKind::Setter
    ) {
        out.extend([format!("({})", grouped(&member.params, param))]);
    }
    if let Some(ty) = &member.ty {
        out.extend([format!(": {ty}")]);
    }
    for (sign, list) in [('!', &member.throws), ('~', &member.effects)] {
        if !list.is_empty() {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            out.extend([format!(" {sign} {}", list.join(", "))]);
        }
    }
    if let Some(words) = &member.deprecated {
        out.extend([format!(" @ {words}")]);
    }
    out.trim_end().to_owned()
}

/// Operators stand in backticks, so that `<` opens type parameters only.
fn name(name: &str) -> String {
    let plain = name
        .chars()
        .all(|letter| letter.is_alphanumeric() || "_$.".contains(letter));
    if plain {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}

fn param(param: &Param) -> String {
    let ty = param
        .ty
        .as_ref()
        .map_or(String::new(), |ty| format!(": {ty}"));
    let (required, default) = around(param);
    format!("{required}{}{ty}{default}", param.name)
}

/// Reads one line of a block into its contract.
pub(super) fn read(contract: &mut Contract, word: &str, rest: &str) -> Result<(), String> {
    let decl = &mut contract.decl;
    match word {
        "source" => rest.clone_into(&mut contract.file),
        "kind" => {
            decl.kind = TypeKind::of_word(rest).ok_or_else(|| format!("unknown kind {rest:?}"))?;
        }
        "modifiers" => decl.modifiers = rest.split(' ').map(str::to_owned).collect(),
        "generics" => decl.generics = split(rest, ',').into_iter().map(str::to_owned).collect(),
        "above" => contract.above = super::names(rest),
        "outside" => contract.outside = super::names(rest),
        "extends" => decl.supers.push(super::above(How::Extends, rest)),
        "with" => decl.supers.push(super::above(How::With, rest)),
        "implements" => decl.supers.push(super::above(How::Implements, rest)),
        "on" => decl.supers.push(super::above(How::On, rest)),
        "deprecated" => decl.deprecated = Some(rest.to_owned()),
        "documented" => {
            decl.marks.insert(Mark::Documented);
        }
        "implicit-constructor" => contract.implicit_constructor = true,
        "inherited" => {
            let (from, line) = rest
                .split_once(' ')
                .ok_or("an inherited member needs its type")?;
            let (word, rest) = line.split_once(' ').ok_or("a member needs a name")?;
            contract.inherited.push(Inherited {
                from: from.to_owned(),
                file: String::new(),
                member: member(word, rest)?,
            });
        }
        _ => decl.members.push(member(word, rest)?),
    }
    Ok(())
}

fn member(word: &str, rest: &str) -> Result<Member, String> {
    let kind = MemberKind::of_word(word).ok_or_else(|| format!("unknown word {word:?}"))?;
    let mut member = Member::new("", kind, 1);
    let mut rest = rest.trim();
    if let Some((marks, after)) = rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        for mark in marks.split(' ') {
            member
                .marks
                .insert(Mark::of_word(mark).ok_or_else(|| format!("unknown mark {mark:?}"))?);
        }
        rest = after;
    }
    if let Some((name, after)) = rest.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        name.clone_into(&mut member.name);
        rest = after;
    } else {
        let end = rest.find(['<', '(', ':', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        name.clone_into(&mut member.name);
        rest = after;
    }
    if member.name.is_empty() {
        return Err("a member needs a name".to_owned());
    }
    if let Some((generics, after)) = cut(rest, '<') {
        member.generics = split(generics, ',')
            .into_iter()
            .map(str::to_owned)
            .collect();
        rest = after;
    }
    if let Some((list, after)) = cut(rest, '(') {
        member.params = read_params(list);
        rest = after;
    }
    if let Some((before, words)) = rest.split_once(" @") {
        member.deprecated = Some(words.trim().to_owned());
        rest = before;
    }
    if let Some((before, effects)) = rest.split_once(" ~ ") {
        member.effects = super::names(effects);
        rest = before;
    }
    if let Some((before, throws)) = rest.split_once(" ! ") {
        member.throws = super::names(throws);
        rest = before;
    }
    member.ty = rest.strip_prefix(':').map(|ty| ty.trim().to_owned());
    Ok(member)
}

/// Cuts a bracketed part off the front: what is inside, and what follows.
fn cut(text: &str, open: char) -> Option<(&str, &str)> {
    let end = closing(text).filter(|_| text.starts_with(open))?;
    Some((text.get(1..end)?, text.get(end + 1..)?))
}

fn read_params(list: &str) -> Vec<Param> {
    let mut params = Vec::new();
    for part in split(list, ',') {
        let inner = |open, close| {
            part.strip_prefix(open)
                .and_then(|part: &str| part.strip_suffix(close))
        };
        if let Some(group) = inner('[', ']') {
            let parts = split(group, ',');
            params.extend(
                parts
                    .iter()
                    .map(|part| read_param(part, Passing::Positional, false)),
            );
        } else if let Some(group) = inner('{', '}') {
            params.extend(split(group, ',').iter().map(|part| {
                let (required, part) = match part.strip_prefix("required ") {
                    Some(part) => (true, part),
                    None => (false, *part),
                };
                read_param(part, Passing::Named, required)
            }));
        } else {
            params.push(read_param(part, Passing::Positional, true));
        }
    }
    params
}

fn read_param(part: &str, passing: Passing, required: bool) -> Param {
    let head = split(part, '=').first().copied().unwrap_or(part);
    let default = part
        .get(head.len()..)
        .and_then(|rest| rest.trim_start().strip_prefix('='));
    let default = default.map(|default| default.trim().to_owned());
    let (name, ty) = match head.split_once(':') {
        Some((name, ty)) => (name, Some(ty.trim().to_owned())),
        None => (head, None),
    };
    Param {
        name: name.trim().to_owned(),
        ty,
        passing,
        required,
        default,
        origin: Origin::Own,
    }
}
