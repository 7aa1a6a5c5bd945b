//! IPv6 routing of one namespace, as Linux 6.1 does it: tables of routes, and choosing among them. Pure: what
//! a change announces is returned, and what decides beside the tables is asked for through [`Neighbourhood`].
//!
//! * [`model`] what a route is: prefix, type, flags, ways out
//! * [`fib`] the tables: adding, deleting, devices that come and go
//! * [`lookup`] from a packet to a route
//! * [`source`] choosing a source address (RFC 6724)

pub mod fib;
pub mod lookup;
pub mod model;
pub mod source;
#[cfg(test)]
mod tests;

pub use fib::{Change6, Fib6};
pub use lookup::{Flow6, Found6, Neighbourhood, RouteId6, Way6};
pub use model::{NextHop6, Prefix6, Route6};
