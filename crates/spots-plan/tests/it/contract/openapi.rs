//! OpenAPI documents: read, frozen, compared by the way that a value goes.

use spots_findings::Level;
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::show;

use super::{diff, snapshots, world_kept};

const SHOP: &str = r#"
openapi: 3.0.3
info: {title: Pet shop, version: 1.2.0}
security: [{session: []}]
paths:
  /orders/{orderId}:
    parameters:
      - {$ref: '#/components/parameters/OrderId'}
    get:
      operationId: findOrder
      summary: Looks an order up.
      parameters:
        - {name: 'filter[state]', in: query, schema: {type: string, default: "open, sent"}}
      responses:
        '200':
          description: ok
          headers:
            ETag: {required: true, schema: {type: string}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/Order'}}
        default:
          $ref: '#/components/responses/Problem'
    put:
      security: []
      deprecated: true
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Order'}}
      responses:
        '204': {description: done}
components:
  parameters:
    OrderId: {name: orderId, in: path, required: true, schema: {type: string, format: uuid}}
  responses:
    Problem:
      description: wrong
      content:
        application/problem+json: {schema: {type: object, required: [code], properties: {code: {type: string}}}}
  schemas:
    Order:
      type: object
      required: [id]
      additionalProperties: false
      properties:
        id: {type: string}
        "strange name": {type: integer, minimum: 1, exclusiveMinimum: true}
        note: {allOf: [{$ref: '#/components/schemas/Note'}], nullable: true}
        kind: {oneOf: [{type: string, enum: [gift]}, {type: string, enum: [plain, null]}]}
        parent: {$ref: '#/components/schemas/Order'}
    Note: {type: string, maxLength: 80, pattern: '^\S'}
"#;

fn rules(old: &str, new: &str) -> Vec<(String, Level)> {
    let compared = diff(&[("openapi.yaml", old)], &[("openapi.yaml", new)]);
    assert!(compared.unreadable.is_empty(), "{:?}", compared.unreadable);
    let mut rules: Vec<_> = compared
        .findings
        .iter()
        .map(|finding| (finding.rule.clone(), finding.level))
        .collect();
    rules.sort();
    rules
}

#[test]
fn a_document_is_shown_as_its_operations() {
    let (_folder, world) = world_kept(&[("api/openapi.yml", SHOP)]);
    let services = world.services();
    let shown = show::text(&services);
    assert!(shown.contains("functions PetShop"), "{shown}");
    assert!(shown.contains("in api/openapi.yml:1"), "{shown}");
    let json = show::json(&services);
    let methods = json["services"][0]["methods"].as_array().expect("methods");
    assert_eq!(methods[0]["name"], "GET /orders/{orderId}");
    assert_eq!(methods[0]["line"], 10);
    assert_eq!(methods[0]["throws"][0], "default");
    assert_eq!(methods[1]["deprecated"], "");
}

#[test]
fn what_is_frozen_reads_back_as_the_same_contract() {
    let (folder, mut world) = world_kept(&[
        ("openapi.yaml", SHOP),
        (
            "lib/order_service.dart",
            "class OrderService {}\nclass Order {}\nclass Note {}\n",
        ),
    ]);
    let snapshot = world.snapshot(&world.mentioned(), &super::Cache::none());
    let mut services = snapshot.services.iter();
    let shop = services
        .find(|service| service.decl.name == "PetShop")
        .expect("the shop");
    let text = Frozen::new("1.0.0", "openapi", shop, &snapshot).render();
    for line in [
        "operation GET /orders/{orderId}",
        "security session",
        "parameter query filter[state] {\"default\":\"open, sent\",\"type\":\"string\"}",
        "property \"strange name\" {\"exclusiveMinimum\":1,\"type\":\"integer\"}",
        "property kind {\"enum\":[\"gift\",\"plain\"],\"nullable\":true,\"type\":\"string\"}",
        "property note {\"$ref\":\"Note\",\"nullable\":true}",
        "property id required {\"type\":\"string\"}",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let read = Frozen::parse(&text).expect("a contract");
    assert_eq!(read.render(), text);
    let before = super::Snapshot::from(read);
    let compared = super::compare(&before, &snapshot, &super::DiffOptions::default());
    assert!(compared.findings.is_empty(), "{:?}", compared.findings);
    drop(folder);
}

#[test]
fn json_and_yaml_of_either_version_are_one_contract() {
    let (_folder, mut world) = world_kept(&[("openapi.yaml", SHOP)]);
    let yaml = world.snapshot(&world.mentioned(), &super::Cache::none());
    let json = r##"{
	"openapi": "3.1.0",
	"info": {"title": "Pet shop", "version": "\ud83d\ude00"},
	"security": [{"session": []}],
	"paths": {"/orders/{id}": {
		"get": {"operationId": "findOrder", "summary": "x",
			"parameters": [
				{"name": "filter[state]", "in": "query", "schema": {"type": "string", "default": "open, sent"}},
				{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}],
			"responses": {
				"200": {"headers": {"etag": {"schema": {"type": "string"}}},
					"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
				"default": {"content": {"application/problem+json": {"schema":
					{"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}}}}}},
		"put": {"security": [{}], "deprecated": true,
			"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}],
			"requestBody": {"required": true,
				"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
			"responses": {"204": {"description": "done"}}}}},
	"components": {"schemas": {
		"Order": {"type": "object", "required": ["id"], "additionalProperties": false, "properties": {
			"id": {"type": "string"},
			"strange name": {"type": "integer", "exclusiveMinimum": 1},
			"note": {"oneOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]},
			"kind": {"type": ["string", "null"], "enum": ["plain", "gift", null]},
			"parent": {"$ref": "#/components/schemas/Order"}}},
		"Note": {"type": "string", "maxLength": 80, "pattern": "^\\S"}}}
}"##;
    let (_other, mut world) = world_kept(&[("openapi.json", json)]);
    assert!(world.unreadable().is_empty(), "{:?}", world.unreadable());
    let json = world.snapshot(&world.mentioned(), &super::Cache::none());
    for (old, new) in [(&yaml, &json), (&json, &yaml)] {
        let compared = super::compare(old, new, &super::DiffOptions::default());
        assert_eq!(compared.compared, 1);
        assert!(compared.findings.is_empty(), "{:?}", compared.findings);
    }
}

#[test]
fn one_change_of_a_shared_schema_is_judged_for_each_way_it_goes() {
    // The order is sent and read; its identity goes both ways.
    let found = rules(SHOP, &SHOP.replace("        id: {type: string}\n", ""));
    assert_eq!(
        found,
        [
            ("request-property-removed".to_owned(), Level::Error),
            ("response-property-removed".to_owned(), Level::Error),
        ],
        "what is not listed is refused here"
    );
    let found = rules(SHOP, &SHOP.replace("maxLength: 80", "maxLength: 90"));
    assert_eq!(
        found,
        [
            ("request-type-widened".to_owned(), Level::Note),
            ("response-limit-loosened".to_owned(), Level::Warning),
        ]
    );
}

#[test]
fn a_path_parameter_that_becomes_another_identity_is_an_error() {
    let old = SHOP.replace("orderId", "userId");
    let found = rules(&old, &SHOP.replace("orderId", "agentId"));
    let renamed = ("identity-parameter-renamed".to_owned(), Level::Error);
    assert_eq!(found, [renamed.clone(), renamed]);
    assert!(rules(&old, &SHOP.replace("orderId", "user")).is_empty());
}

#[test]
fn an_api_keeps_its_identity_when_title_and_order_change() {
    let moved = SHOP.replace("title: Pet shop", "title: Shop of pets");
    let compared = diff(&[("openapi.yaml", SHOP)], &[("docs/openapi.yaml", &moved)]);
    assert_eq!((compared.compared, compared.findings.len()), (1, 0));
    let (old, _) = snapshots(&[("openapi.yaml", SHOP)], &[]);
    assert_eq!(old.services.len(), 1);
}

#[test]
fn a_security_scheme_is_known_by_what_it_asks_for() {
    let with = |name: &str, scheme: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{title: A}}\nsecurity: [{{{name}: []}}]\npaths:\n  /a:\n    get:\n      \
             responses: {{}}\ncomponents:\n  securitySchemes:\n    {name}: {scheme}\n"
        )
    };
    let bearer = "{type: http, scheme: bearer}";
    let old = with("http", bearer);
    assert!(rules(&old, &with("BearerAuth", bearer)).is_empty());
    let found = rules(
        &old,
        &with("http", "{type: apiKey, in: header, name: X-Key}"),
    );
    assert_eq!(found, [("security-tightened".to_owned(), Level::Error)]);
}

#[test]
fn a_property_may_become_one_of_the_others() {
    let with = |schema: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{title: A}}\npaths:\n  /a:\n    get:\n      responses:\n        \
             '200': {{content: {{application/json: {{schema: {schema}}}}}}}\n"
        )
    };
    let old = with("{type: object, properties: {read: {type: boolean}}}");
    let others = with("{type: object, additionalProperties: {type: boolean}}");
    assert!(rules(&old, &others).is_empty());
    let found = rules(&old, &others.replace("boolean", "string"));
    assert_eq!(found, [("response-type-widened".to_owned(), Level::Error)]);
}

#[test]
fn unions_are_matched_by_name_and_tag() {
    let with = |any: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{title: A}}\npaths:\n  /a:\n    get:\n      responses:\n        \
             '200': {{content: {{application/json: {{schema: {{oneOf: [{any}]}}}}}}}}\n"
        )
    };
    let cat =
        "{type: object, required: [k], properties: {k: {const: cat}, lives: {type: integer}}}";
    let dog = "{type: object, required: [k], properties: {k: {const: dog}}}";
    let two = with(&format!("{cat}, {dog}"));
    assert!(rules(&two, &with(&format!("{dog}, {cat}"))).is_empty());
    let found = rules(&with(cat), &two);
    assert_eq!(found, [("response-type-widened".to_owned(), Level::Error)]);
    let found = rules(&two, &two.replace("type: integer", "type: string"));
    assert_eq!(found, [("response-type-widened".to_owned(), Level::Error)]);
    assert_eq!(
        rules(&two, &with(cat)),
        [("response-type-narrowed".to_owned(), Level::Note)]
    );
}

#[test]
fn what_cannot_be_read_is_named_and_never_clean() {
    let alias_bomb = {
        let mut text =
            "openapi: 3.1.0\ninfo: {title: A}\na: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..30 {
            let below = format!("*a{}", at - 1);
            text.extend([format!(
                "b{at}: &a{at} [{below}, {below}, {below}, {below}, {below}, {below}]\n"
            )]);
        }
        text
    };
    let deep = format!("openapi: 3.1.0\nx: {}", "[".repeat(100_000));
    let nested = format!("openapi: 3.1.0\nx: {}{}", "[".repeat(200), "]".repeat(200));
    for (text, reason) in [
        ("openapi: 3.1.0\ninfo: {title: A}\npaths: [", "line"),
        ("openapi: 3.1.0\npaths: {}", "line 1: info has no title"),
        (
            "swagger: '2.0'\ninfo: {title: A}",
            "line 1: OpenAPI 2 is not read",
        ),
        (
            "openapi: 3.1.0\ninfo: {title: A}\ninfo: {title: B}",
            "line 3: the key \"info\" stands twice",
        ),
        (
            "openapi: 3.1.0\ninfo: {title: A}\npaths:\n  /a: {$ref: other.yaml#/a}",
            "line 4: the reference \"other.yaml#/a\" is not followed",
        ),
        (&alias_bomb, "more than 2000000 values"),
        (&deep, "line 2: recursion limit exceeded"),
        (&nested, "line 2: values are nested deeper than 128"),
    ] {
        let (_folder, world) = world_kept(&[("openapi.yaml", text)]);
        let unreadable = world.unreadable();
        assert_eq!(unreadable.len(), 1, "{reason}");
        assert!(unreadable[0].reason.contains(reason), "{:?}", unreadable[0]);
        assert!(world.services().is_empty());
    }
    let (_folder, world) = world_kept(&[("openapi.yaml", "a: 1"), ("other.json", "{")]);
    assert!(
        world.unreadable().is_empty(),
        "other files are nobody's documents"
    );
}

/// A document in the middle of an edit: whatever it says, it is read or refused.
#[test]
fn mutants_are_read_or_refused() {
    let letters: Vec<char> = "{}[]:,'\"&*|>-? \n\tab1#$\u{e9}\u{0}".chars().collect();
    let mut seed = 0x5eed_u64;
    let mut roll = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    let mut read = 0;
    for _ in 0..400 {
        let mut text: Vec<char> = SHOP.chars().collect();
        for _ in 0..=roll(3) {
            let at = roll(text.len());
            match roll(3) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, letters[roll(letters.len())]),
                _ => text.truncate(at.max(1)),
            }
        }
        let text: String = text.into_iter().collect();
        let unit = spots_plan::contract::openapi::extract(&text);
        read += usize::from(!unit.types.is_empty());
    }
    assert!(read > 40, "{read} of 400 were read");
}
