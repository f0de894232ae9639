//! What Dart code reaches for: other types, exceptions, side effects.

use tree_sitter::Node;

use super::super::model::{TypeDecl, Use, UseKind};
use super::super::syntax::{child, children, each, held, line_of};
use super::super::types::names_in;
use super::Source;

/// Last words of functions that hand out an instance by its type argument.
const LOCATORS: [&str; 24] = [
    "sl",
    "getIt",
    "getit",
    "locator",
    "injector",
    "inject",
    "di",
    "get",
    "getAsync",
    "find",
    "read",
    "watch",
    "of",
    "maybeOf",
    "resolve",
    "call",
    "instance",
    "I",
    "serviceLocator",
    "container",
    "lookup",
    "service",
    "select",
    "dep",
];
/// Static members that hand out the one instance.
const SINGLETONS: [&str; 7] = ["instance", "I", "shared", "to", "singleton", "current", "i"];
/// What a call's text contains → the side effect that it shows.
const EFFECTS: [(&str, &str); 17] = [
    ("DateTime.now", "clock"),
    ("Stopwatch", "clock"),
    ("Random", "random"),
    ("File", "file"),
    ("Directory", "file"),
    ("http.get", "network"),
    ("http.post", "network"),
    ("http.put", "network"),
    ("http.delete", "network"),
    ("HttpClient", "network"),
    ("Dio", "network"),
    ("Socket.connect", "network"),
    ("WebSocket.connect", "network"),
    ("SharedPreferences.getInstance", "storage"),
    ("openDatabase", "storage"),
    ("Hive.openBox", "storage"),
    ("FlutterSecureStorage", "storage"),
];

impl Source<'_> {
    /// Adds thrown types and side effects of a body to the member declared last.
    pub(super) fn behaviour(&self, body: Node<'_>, decl: &mut TypeDecl) {
        let Some(member) = decl.members.last_mut() else {
            return;
        };
        each(body, |node| match node.kind() {
            "throw_expression" => {
                let value = node.child_by_field_name("value");
                let name = value
                    .and_then(|value| self.made(value))
                    .map(|(name, _)| name);
                member.throws.extend(name.map(str::to_owned));
            }
            "call_expression" | "new_expression" => {
                let called = node
                    .child_by_field_name("function")
                    .or_else(|| node.child_by_field_name("type"))
                    .map_or("", |function| self.text(function));
                let effect = EFFECTS.iter().find(|(call, _)| *call == called);
                member
                    .effects
                    .extend(effect.map(|(_, effect)| (*effect).to_owned()));
            }
            _ => {}
        });
    }

    /// Adds what a type's body depends on, with lines.
    pub(super) fn uses(&self, body: Node<'_>, decl: &mut TypeDecl) {
        held(decl);
        let mut found = Vec::new();
        each(body, |node| self.reach(node, &mut found));
        decl.uses.append(&mut found);
    }

    fn reach(&self, node: Node<'_>, found: &mut Vec<Use>) {
        let mut add = |kind, target: &str, through: Option<&str>| {
            found.push(Use {
                kind,
                target: target.to_owned(),
                through: through.map(str::to_owned),
                line: line_of(node),
            });
        };
        match node.kind() {
            "call_expression" => {
                if let Some(target) = self.located(node) {
                    add(UseKind::Locator, &target, None);
                } else if let Some((target, through)) = self.made(node) {
                    add(UseKind::Construction, target, through);
                }
                for target in self.provided(node) {
                    add(UseKind::Locator, &target, None);
                }
            }
            "new_expression" | "const_object_expression" | "constructor_invocation" => {
                if let Some((target, through)) = self.made(node) {
                    add(UseKind::Construction, target, through);
                }
            }
            "member_expression" => {
                let object = node
                    .child_by_field_name("object")
                    .map_or("", |node| self.text(node));
                let property = node.child_by_field_name("property");
                let property = property.map_or("", |node| self.text(node));
                if object.starts_with(char::is_uppercase) && SINGLETONS.contains(&property) {
                    add(UseKind::Locator, object, Some(property));
                }
            }
            "local_variable_declaration" | "declaration" => {
                if let Some(target) = self.located_by_type(node) {
                    add(UseKind::Locator, &target, None);
                }
            }
            _ => {}
        }
    }

    /// `sl<T>()`, `GetIt.I.get<T>()`, `context.read<T>()` …
    fn located(&self, call: Node<'_>) -> Option<String> {
        let function = call.child_by_field_name("function")?;
        if function.kind() != "instantiation_expression" {
            return None;
        }
        let callee = function.child_by_field_name("function")?;
        let arguments = function.child_by_field_name("type_arguments")?;
        let last = self
            .text(callee)
            .rsplit(['.', '!', '?', ' '])
            .next()
            .unwrap_or("");
        let first_type = children(arguments).find(|node| node.kind() == "type")?;
        let name = names_in(&self.canonical(first_type)).into_iter().next()?;
        LOCATORS.contains(&last).then_some(name)
    }

    /// `final T x = sl();`: the locator infers the type.
    fn located_by_type(&self, node: Node<'_>) -> Option<String> {
        let mut declared = None;
        let mut inside = node;
        for _ in 0..4 {
            declared = declared.or_else(|| child(inside, "type"));
            if let Some(value) = inside.child_by_field_name("value") {
                let call = (value.kind() == "call_expression").then_some(value)?;
                let function = call.child_by_field_name("function")?;
                let last = self.text(function).rsplit('.').next().unwrap_or("");
                let bare = function.kind() != "instantiation_expression"
                    && children(call.child_by_field_name("arguments")?)
                        .all(|part| !part.is_named());
                let name = names_in(&self.canonical(declared?)).into_iter().next()?;
                return (bare && LOCATORS.contains(&last)).then_some(name);
            }
            inside = children(inside).filter(Node::is_named).last()?;
        }
        None
    }

    /// Riverpod: `ref.watch(paymentServiceProvider)` hands out a `PaymentService`.
    fn provided(&self, call: Node<'_>) -> Vec<String> {
        let function = call
            .child_by_field_name("function")
            .map_or("", |node| self.text(node));
        let last = function.rsplit('.').next().unwrap_or("");
        if !matches!(last, "read" | "watch" | "listen" | "refresh") {
            return Vec::new();
        }
        let Some(arguments) = call.child_by_field_name("arguments") else {
            return Vec::new();
        };
        let words = children(arguments)
            .filter(Node::is_named)
            .map(|node| self.text(node));
        let names = words.filter_map(|word| {
            let word = word.split(['.', '(']).next()?.strip_suffix("Provider")?;
            let mut letters = word.chars();
            let first = letters.next()?;
            Some(first.to_uppercase().chain(letters).collect())
        });
        names.collect()
    }

    /// The type that an expression makes, and the named constructor or static member called.
    fn made(&self, node: Node<'_>) -> Option<(&str, Option<&str>)> {
        let text = match node.kind() {
            "call_expression" => {
                let function = node.child_by_field_name("function")?;
                let inner = function.child_by_field_name("function");
                let plain = matches!(function.kind(), "identifier" | "member_expression");
                self.text(if plain { function } else { inner? })
            }
            "new_expression" | "const_object_expression" | "constructor_invocation" => {
                let ty = node
                    .child_by_field_name("type")
                    .or_else(|| child(node, "type"));
                let ty = ty.map_or_else(|| self.text(node), |ty| self.text(ty));
                ty.split(['<', '(']).next()?
            }
            _ => return None,
        };
        let mut words = text.trim().split('.').map(str::trim).peekable();
        let mut first = words.next()?;
        if self.prefixes.contains(first) {
            first = words.next()?;
        }
        let name = first
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
        let type_like = first
            .trim_start_matches('_')
            .starts_with(char::is_uppercase);
        let through = words.next();
        (name && type_like && words.next().is_none()).then_some((first, through))
    }
}
