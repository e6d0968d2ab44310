//! /api, /ping, the dashboard and the other internal services.
