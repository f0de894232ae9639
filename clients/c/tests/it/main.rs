//! The library from C, and what the Dart client expects of it.

#[cfg(test)] // clippy's word for "test code", which may index
mod c;
#[cfg(test)]
mod dart;
