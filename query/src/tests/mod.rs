mod choices;
mod doors;
mod figures;
mod fixture;
mod lake;
mod limits;
mod reading;
mod wire;
