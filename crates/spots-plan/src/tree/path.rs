//! Paths as plans and options write them.

/// `*` stands for anything within a folder, `**` for any folders; a folder stands for what is in it.
pub(crate) fn path_fits(pattern: &str, path: &str) -> bool {
    fn parts_fit(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, _) => true,
            (Some((&"**", rest)), _) => (0..=path.len()).any(|at| {
                path.get(at..)
                    .is_some_and(|path| !path.is_empty() && parts_fit(rest, path))
            }),
            (Some((first, rest)), Some((part, path))) => {
                part_fits(first, part) && parts_fit(rest, path)
            }
            (Some(_), None) => false,
        }
    }
    fn part_fits(pattern: &str, part: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == part,
            Some((start, end)) => {
                part.len() >= start.len() + end.len()
                    && part.starts_with(start)
                    && part.ends_with(end)
            }
        }
    }
    let split = |text: &'_ str| -> Vec<String> {
        text.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let (pattern, path) = (split(pattern), split(path));
    let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    parts_fit(&pattern, &path)
}
