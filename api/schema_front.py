"""The front page of the document: what a phone's developer reads first."""

TAGS = {
    "accreditations": "What an institution may teach, and until when.",
    "attendance": "Check-ins, rosters and records.",
    "auth": "Signing in and out, and the devices that are signed in.",
    "catalogue": "Occupations and training programmes that may be taught.",
    "certificates": "Certificates, their images, and their public verification.",
    "classes": "Training classes, from draft to closing.",
    "employment": "Who works where, from when to when, with what evidence.",
    "enrolments": "Applying for a class, the waiting list, admission and leaving.",
    "exams": "Exams, attempts and results.",
    "files": "Files, and the sessions in which large ones arrive.",
    "follow-ups": "What became of a trainee, checkpoint by checkpoint.",
    "journal": "Who did what, when; for auditors.",
    "me": "The caller: account, person, roles and notices.",
    "notices": "Messages to the caller.",
    "organisations": "Bureaus, institutions and enterprises.",
    "persons": "The real-name register.",
    "policies": "Rules as data, by region and date.",
    "regions": "The tree of regions.",
    "rosters": "Lists of people that an institution hands in.",
    "sessions": "The lessons of a class, their rooms and trainers.",
    "trainers": "Who may teach what.",
    "venues": "Rooms where lessons take place.",
}

DESCRIPTION = """\
启航 (Qihang): retraining, attendance and placement for an employment bureau: one register, one API
for the phone app, the mini-program and the back office. Business incubation, leave requests and
corrections of attendance are not in it yet; they will be added inside v1.

## Signing in
`POST /api/v1/auth/codes` sends a code to a phone, `POST /api/v1/auth/tokens` exchanges it (or a
password) for an `access` token (15 minutes) and a `refresh` token (30 days). Send
`Authorization: Bearer <access>`. On 401 exchange the refresh token once; if that answers 401 too,
sign in again. A lost reply of the exchange may be asked for again within 60 seconds.

## Errors
Whatever goes wrong is `application/problem+json` in the shape of `Problem`, also for unknown paths.
Show `detail` to the person, decide by `code`, repeat only if `retryable`. What an absent record
answers and what one out of your sight answers is the same 404.

## Retries
Every POST that creates or triggers needs an `Idempotency-Key`, a UUID made once per attempt and
kept in the client's queue. Repeating with the same key and the same body gives the same answer and
`Idempotent-Replayed: true`; another body is 422. What was refused is not kept: correct it and send
it again, under the same key or a new one. Records may be created with an `id` of the client's own.

## Lost updates
A record shows its `version`, which is also its `ETag`. `PATCH` needs it in `If-Match`; a stale one
is 412. A leading `W/`, which compression adds, is ignored. Mini-programs, which have no PATCH, send
`POST` with `X-HTTP-Method-Override: PATCH`.

## Pages
Lists answer `results`, `next` and `previous`: follow `next` as it stands until it is null. Rows
that come or go meanwhile are neither doubled nor skipped. `limit` is 1 to 100, 20 by itself.
A cursor works only with the filters it was made with, else it is 410. `fields=a,b` trims the rows
(`version` stays), `expand=a,b` puts related records beside their `…_id`.

## Values
Ids are UUIDs, times RFC 3339 with an offset, dates days of Asia/Shanghai, money a decimal string in
yuan. An unknown member or parameter is 400. Bodies are JSON of at most 1 MiB, except for files.

## Languages
`Accept-Language: zh-Hans` (default) or `en` chooses the sentences; codes and enumerations never
change.

## Limits
`RateLimit-Policy` and `RateLimit` tell what is left; 429 and 503 carry `Retry-After`.

## Versions
Inside v1 things are only added: ignore members that you do not know, and treat an unknown
enumeration value as "other". Before anything goes, its answers carry `Deprecation` and `Sunset`.
"""
