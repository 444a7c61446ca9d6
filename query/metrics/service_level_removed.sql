-- title: Service level of removals
-- meaning: Share of the stays that ended in the threshold by answer, abandon or callback
-- unit: ratio
-- source: Variant removed: Amazon Connect SERVICE_LEVEL
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_stays
-- dims: queue, interval_start, day
-- needs: answer, abandon, wait, ~left_other
CAST(count(CASE WHEN in_target AND (result IN ('answered', 'abandoned') OR outcome = 'callback') THEN 1 END) AS DOUBLE) / nullif(count(CASE WHEN result NOT IN ('refused', 'lost') THEN 1 END), 0)
