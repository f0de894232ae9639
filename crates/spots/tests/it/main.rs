//! Tests of the whole: the binary as people run it, and the rules of the house.

#[cfg(test)] // clippy's word for "test code", which may index
mod browser;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod clock_audit;
#[cfg(test)]
mod completions;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod migrate;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod transit;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod verify;
