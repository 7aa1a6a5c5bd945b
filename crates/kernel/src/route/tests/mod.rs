//! Tests of the routing core.

// later
