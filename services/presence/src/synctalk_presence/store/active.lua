-- Which users of one shard have a live connection at this moment that somebody is using.
-- KEYS: for each user two: leases, idle set.  ARGV: none.
-- Returns for each user 1 or 0.
local answers = {}
for i = 1, #KEYS / 2 do
  answers[i] = last_active_expiry(KEYS[2 * i - 1], KEYS[2 * i]) > 0 and 1 or 0
end
return answers
