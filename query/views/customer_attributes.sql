-- One row per attribute of a customer and the time for which it holds: until it says, or until it
-- was told anew, whichever comes first. What was withdrawn has no row.
-- table: customer_attributes
SELECT a.* REPLACE (least(coalesce(a.valid_to, b.next), coalesce(b.next, a.valid_to)) AS valid_to)
FROM internal.customer_attributes a
LEFT JOIN (
  -- Without a window: under a filter on one customer the engine cannot plan one that is parted by it.
  SELECT x.attribute_id, x.name, min(y.valid_from) AS next
  FROM internal.customer_attributes x
  JOIN internal.customer_attributes y
    ON y.customer = x.customer AND y.name = x.name
   AND y.valid_from > coalesce(x.valid_from, arrow_cast(-2208988800000000, 'Timestamp(Microsecond, Some("UTC"))'))
  GROUP BY x.attribute_id, x.name
) b ON b.attribute_id = a.attribute_id AND b.name = a.name
WHERE a.value <> ''
