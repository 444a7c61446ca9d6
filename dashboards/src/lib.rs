//! callboard-dashboards
