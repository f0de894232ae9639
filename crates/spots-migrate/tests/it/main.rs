//! Tests on real databases.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod check;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod random;
#[cfg(test)]
mod rehearse;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod runners;
#[cfg(test)]
mod set;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod standing;
#[cfg(test)]
mod support;
