-- no transaction
-- Whether an earlier event of the lane is still to be delivered.
create index concurrently if not exists webhook_deliveries_lane on webhook_deliveries (webhook_id, lane, n)
  where status = 'pending';
