//! A Flutter-like tree: 2,500 Dart files, 23 MB, a fifth of them services, a third of them with reads
//! of the clock, in comments and strings too.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

const FILES: usize = 2_500;
const FILE_BYTES: usize = 9_200;

/// Writes it below `root`.
pub fn write(root: &Path) -> io::Result<()> {
    for number in 0..FILES {
        let folder = root.join(format!("lib/part{}", number % 50));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("file_{number}.dart")), file(number))?;
    }
    Ok(())
}

fn file(number: usize) -> String {
    let name = if number % 5 == 0 {
        format!("Feature{number}Service")
    } else {
        format!("Feature{number}Widget")
    };
    let mut text = format!(
        "import 'package:app/order.dart';\nimport 'package:app/user.dart';\n\n\
         /// Looks after feature {number}.\nclass {name} {{\n  {name}(this.repository, {{this.zone = 'UTC'}});\n\n  \
         final Repository repository;\n  final String zone;\n\n"
    );
    for member in 0.. {
        if text.len() >= FILE_BYTES {
            break;
        }
        let body = match (number % 3, member % 8) {
            (0, 1) => "await save(createdAt: DateTime.now());",
            (0, 3) => "// DateTime.now() is not allowed here",
            (0, 5) => "print('DateTime.now() was ${DateTime.now()}');",
            _ => "final DateTime due = parse(order.due ?? fallback, zone: user.zone);",
        };
        write!(
            text,
            "  /// Handles case {member} of the feature, in the order the queue gives.\n  \
             Future<void> handle{member}(Order order, {{required User user, int? limit}}) async {{\n    \
             {body}\n    if (order.lines.length > (limit ?? 10)) {{\n      throw StateError('too many lines');\n    }}\n    \
             await repository.store(order.copyWith(state: OrderState.open));\n  }}\n\n"
        )
        .expect("writing to a string cannot fail");
    }
    // A wrapper, and who calls it.
    if number % 30 == 0 {
        write!(text, "  DateTime stamp{number}() => DateTime.now();\n\n  void touch() => log(stamp{number}());\n\n")
            .expect("writing to a string cannot fail");
    }
    text.push_str("}\n");
    text
}
