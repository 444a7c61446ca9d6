//! callboard
fn main() {}
