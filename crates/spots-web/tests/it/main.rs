//! Integration tests of the HTTP floor.

#[cfg(test)]
mod pages;
