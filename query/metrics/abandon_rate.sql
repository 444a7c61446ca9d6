-- title: Abandon rate
-- meaning: Share of the offered stays that were abandoned
-- unit: ratio
-- source: Genesys, Teams: abandoned / offered
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: entry, abandon
CAST(sum(abandoned) AS DOUBLE) / nullif(sum(offered) - sum(lost), 0)
