//! Microsoft Teams: captures to records, statements and rows.

mod calls;
mod damage;
pub mod harness;
mod more;
mod order;
mod section0;
mod telephone;
mod voice;
