//! What the clock audit costs, against `ripgrep` on the same tree in the same run.
//!
//! Every contender is a process of its own, they take turns, and of each the least over the rounds
//! counts: wall time, and CPU time of the process with all its threads. Without a path it writes a
//! tree of 2,500 Dart files, 23 MB. `ast-grep` takes part where it is installed.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use spots_plan::audit::config::Config;
use spots_plan::audit::scan::Scanner;
use spots_plan::audit::{audit, inventory};
use spots_plan::tree::{Language, Tree};

const ROUNDS: usize = 15;
const FILES: usize = 2_500;
const FILE_BYTES: usize = 9_200;
/// The inventory may take this many times as long as `ripgrep`.
const INVENTORY_MAX: f64 = 3.0;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Timeval {
    seconds: i64,
    micros: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Rusage {
    user: Timeval,
    system: Timeval,
    rest: [i64; 14],
}

unsafe extern "C" {
    fn getrusage(who: i32, usage: *mut Rusage) -> i32;
}

/// CPU seconds of all children that have ended.
fn children_cpu() -> f64 {
    const RUSAGE_CHILDREN: i32 = -1;
    let mut usage = Rusage::default();
    // SAFETY: the pointer is to a live value of the right layout on 64-bit Linux.
    let failed = unsafe { getrusage(RUSAGE_CHILDREN, &mut usage) };
    assert_eq!(failed, 0, "getrusage knows this argument");
    [usage.user, usage.system]
        .iter()
        .map(|time| time.seconds as f64 + time.micros as f64 / 1e6)
        .sum()
}

struct Contender {
    name: &'static str,
    command: Command,
    wall: f64,
    cpu: f64,
    output: String,
}

impl Contender {
    fn new(name: &'static str, program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        Self { name, command, wall: f64::MAX, cpu: f64::MAX, output: String::new() }
    }

    fn run(&mut self) -> io::Result<()> {
        let (cpu, start) = (children_cpu(), std::time::Instant::now());
        let output = self.command.output()?;
        self.wall = self.wall.min(start.elapsed().as_secs_f64());
        self.cpu = self.cpu.min(children_cpu() - cpu);
        self.output = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(())
    }
}

/// Files of about [`FILE_BYTES`], a third of which read the clock, in comments and strings too.
fn write_tree(root: &Path) -> io::Result<()> {
    for number in 0..FILES {
        let mut text = format!("import 'package:a/a.dart';\n\nclass Service{number} {{\n");
        let mut member = 0;
        while text.len() < FILE_BYTES {
            member += 1;
            let read = match (number % 3, member % 8) {
                (0, 0) => "await save(createdAt: DateTime.now());",
                (0, 3) => "// DateTime.now() is not allowed here",
                (0, 5) => "print('DateTime.now() was ${DateTime.now()}');",
                _ => "final DateTime due = parse(order.due ?? fallback, zone: user.zone);",
            };
            writeln!(
                text,
                "  /// Handles case {member} of the service, in the order the queue gives.\n  \
                 Future<void> handle{member}(Order order, {{required User user}}) async {{\n    \
                 {read}\n    await repository.store(order.copyWith(state: OrderState.open));\n  }}\n"
            )
            .map_err(io::Error::other)?;
        }
        text.push_str("}\n");
        let folder = root.join(format!("lib/f{}", number % 50));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("service_{number}.dart")), text)?;
    }
    Ok(())
}

/// What a child does.
fn work(task: &str, root: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let config = Config::load(root)?;
    let tree = Tree::walk(root, &[Language::Dart])?;
    Ok(match task {
        "inventory" => {
            let found = inventory(&tree, &Scanner::new(&config.patterns), &config);
            found.items.iter().map(|(_, hits)| hits.len()).sum()
        }
        "audit" => audit(&tree, &config).summary().total,
        _ => {
            let mut parser = tree_sitter::Parser::new();
            parser.set_language(&Language::Dart.grammar().ok_or("no grammar")?)?;
            let mut nodes = 0;
            for file in tree.files() {
                let parsed = parser.parse(tree.read(file)?, None).ok_or("no tree")?;
                nodes += parsed.root_node().descendant_count();
            }
            nodes
        }
    })
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if let [task, root] = arguments.as_slice() {
        println!("{}", work(task, Path::new(root))?);
        return Ok(ExitCode::SUCCESS);
    }
    let scratch = tempfile::tempdir()?;
    let root = match arguments.first() {
        Some(root) => root.clone(),
        None => {
            write_tree(scratch.path())?;
            scratch.path().to_string_lossy().into_owned()
        }
    };
    let own = std::env::current_exe()?;
    let rg = ["--count", "--no-filename", "--fixed-strings", "--type", "dart", "DateTime.now(", &root];
    let rule = "id: read\nlanguage: dart\nrule:\n  pattern:\n    context: void f() { DateTime.now(); }\n    \
                selector: call_expression\n";
    let structural = ["scan", "--inline-rules", rule, "--json=stream", &root];
    let mut contenders = vec![
        Contender::new("ripgrep", Path::new("rg"), &rg),
        Contender::new("inventory", &own, &["inventory", &root]),
        Contender::new("audit", &own, &["audit", &root]),
        Contender::new("parse alone, one thread", &own, &["parse", &root]),
    ];
    if Command::new("ast-grep").arg("--version").output().is_ok() {
        contenders.push(Contender::new("ast-grep", Path::new("ast-grep"), &structural));
    }
    for round in 0..ROUNDS {
        // The slow ones need not run as often.
        for (index, contender) in contenders.iter_mut().enumerate() {
            if index < 2 || round % 5 == 0 {
                contender.run()?;
            }
        }
    }
    println!("{:26} {:>9} {:>9} {:>8}  found", "", "wall ms", "CPU ms", "wall ×");
    let floor = contenders[0].wall;
    for contender in &contenders {
        let found = match contender.name {
            "ripgrep" => contender.output.lines().filter_map(|n| n.parse::<u64>().ok()).sum(),
            "ast-grep" => contender.output.lines().count() as u64,
            _ => contender.output.trim().parse().unwrap_or(0),
        };
        let (wall, cpu) = (contender.wall * 1e3, contender.cpu * 1e3);
        println!("{:26} {wall:9.1} {cpu:9.1} {:8.2}  {found}", contender.name, contender.wall / floor);
    }
    let ratio = contenders[1].wall / floor;
    println!("inventory / ripgrep: {ratio:.2}, at most {INVENTORY_MAX}");
    Ok(ExitCode::from(u8::from(ratio > INVENTORY_MAX)))
}
