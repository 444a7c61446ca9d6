-- title: Schedule adherence
-- meaning: Share of the planned time in which the agent was as planned
-- unit: ratio
-- source: Time in scheduled class / scheduled time, as workforce management uses it; Amazon Connect divides by adherent + non-adherent time, which is the same where every state is known
-- attribution: Planned time is split exactly at the quarter's borders
-- base: adherence
-- dims: agent, interval_start
-- needs: login, ~pause, ~talk, ~wrap_up
CAST(sum(adherent_ms) AS DOUBLE) / nullif(sum(scheduled_ms), 0)
