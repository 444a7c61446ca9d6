-- The picture that this query sees: one row.
-- column version: Grows with every change that a query could see
-- column flush: The last flush that the lake's part holds
-- column now (UTC): The present of this picture: the clock, a replay's clock, or the source's watermark
SELECT version, flush, now FROM internal.clock
