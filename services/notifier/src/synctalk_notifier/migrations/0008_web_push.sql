-- The keys of a Web Push subscription, whose endpoint is the token; null: the token is FCM's.
alter table devices add column p256dh text;
alter table devices add column auth text;
