-- Take one of a writer's places for streams.
-- KEYS: the writer's streams.  ARGV: message_id, places, keep_s.
-- Returns nothing when it is taken, else the messages that have the places.
local taken = redis.call('ZRANGE', KEYS[1], 0, -1)
if #taken >= tonumber(ARGV[2]) then return taken end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {}
