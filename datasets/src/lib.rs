//! callboard-datasets
