-- SPDX-License-Identifier: Apache-2.0
-- What happened with an account, and what people write by hand.

-- what a person changed in one go is a run too: it is seen, and taken back, like an import
alter table run drop constraint run_kind_check;
alter table run
  add constraint run_kind_check check (kind in ('import', 'replay', 'undo', 'export', 'edit')),
  add column user_id bigint references app_user;

alter table field_claim add column user_id bigint references app_user;
create index field_claim_user on field_claim (user_id) where user_id is not null;
create index run_user on run (user_id) where user_id is not null;

-- append-only; its text is apart, so that an erasure takes the text and leaves the fact
create table interaction (
  id bigint generated always as identity,
  occurred_at timestamptz not null,
  channel text not null check (
    channel in ('call', 'email', 'sms', 'letter', 'visit', 'meeting', 'web', 'social', 'fax', 'note', 'system')),
  direction text not null default 'none' check (direction in ('in', 'out', 'none')),
  subject text not null check (subject <> ''),
  outcome text,
  duration_s int,
  user_id bigint,
  account_id bigint,
  created_at timestamptz not null default now(),
  primary key (occurred_at, id)
) partition by range (occurred_at);

create table interaction_default partition of interaction default;
create index interaction_id on interaction (id);

-- the timeline of a party is one backward range of its key
create table interaction_party (
  party_id bigint not null,
  occurred_at timestamptz not null,
  interaction_id bigint not null,
  role text not null default 'about',
  channel text not null,
  primary key (party_id, occurred_at, interaction_id)
);

create table interaction_body (
  interaction_id bigint primary key,
  body text not null,
  tsv tsvector generated always as (to_tsvector('french', body)) stored
);

create index interaction_body_text on interaction_body using gin (tsv);

-- the 360° view reads documents of an account by day, and what of it is open
create index sales_doc_account on sales_doc (party_id, (coalesce(issued_on, signed_on, starts_on)) desc, id desc);
create index sales_doc_open on sales_doc (party_id) where open_amount <> 0;
