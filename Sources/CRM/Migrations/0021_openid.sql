-- SPDX-License-Identifier: Apache-2.0
-- People whom a provider of OpenID Connect vouches for.

-- how a provider knows somebody who does not sign in with an address
alter table app_user add column email text collate "C" unique
  check (email = lower(email) and email ~ '^[!-~]+@[!-~]+$' and length(email) <= 254);

-- whom a provider means: its subject never changes and is never given to somebody else, an address may be both
create table openid_link (
  issuer text collate "C" not null check (issuer <> ''),
  subject text collate "C" not null check (subject <> '' and length(subject) <= 255),
  user_id bigint not null references app_user on delete cascade,
  linked_at timestamptz not null default now(),
  primary key (issuer, subject),
  -- one person each: a second one with the same address is somebody else
  unique (user_id, issuer)
);
