-- Forget a stream that is over in the database; for a while it is known to have ended.
-- KEYS: state, text, streams of the shard.  ARGV: message_id, seconds to know it.
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'ended', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
