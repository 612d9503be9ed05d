// SPDX-License-Identifier: Apache-2.0
// What programs are answered, as `openapi.json` describes it.

internal import CRM
internal import Crypto
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Model
internal import Words

/// A page of rows, and the query that asks for the next one.
struct Rows<Item: Encodable>: Encodable {
    let data: [Item]
    let next: String?
}

struct AccountItem: Encodable {
    let id: Int
    let name: String
    let status: String
    let siren: String?
    let city: String?
    let owner: String?
    let openAmount: String?
    let isOverdue: Bool

    enum CodingKeys: String, CodingKey {
        case id, name, status, siren, city, owner
        case openAmount = "open_amount"
        case isOverdue = "is_overdue"
    }

    init(_ row: AccountRow) {
        (id, name, status, siren, city, owner) = (
            row.id, row.name, row.status, row.siren, row.city, row.owner
        )
        (openAmount, isOverdue) = (row.open?.description, row.isLate)
    }
}

struct AccountWhole: Encodable {
    struct Site: Encodable {
        let siret: String?
        let street: String?
        let postal_code: String?
        let city: String?
        let country: String?
        let is_main: Bool
    }

    struct Claim: Encodable {
        let entity: String
        let field: String
        let value: String?
        let source: String
        let file: String?
        let line: Int?
        let at: String
    }

    let id: Int
    let name: String
    let status: String
    let siren: String?
    let vat: String?
    let owner: String?
    let sites: [Site]
    let claims: [Claim]

    init(_ view: AccountView) {
        let identity = view.identity
        (id, name, status) = (identity.id, identity.name, identity.status)
        (siren, vat, owner) = (identity.siren, identity.vat, identity.owner)
        sites = view.sites.map {
            Site(
                siret: $0.siret, street: $0.street, postal_code: $0.postalCode, city: $0.city,
                country: $0.country, is_main: $0.isMain)
        }
        claims = view.claims.map {
            Claim(
                entity: $0.entity, field: $0.field, value: $0.value, source: $0.source, file: $0.file,
                line: $0.line, at: $0.at.description)
        }
    }
}

struct Hit: Encodable {
    let kind: String
    let account: Int?
    let document: Int?
    let text: String
    let note: String?

    init(_ hit: SearchHit) {
        (kind, account, document) = (hit.kind.rawValue, hit.account, hit.document)
        (text, note) = (hit.text, hit.note)
    }
}

struct RunRow: Encodable {
    let id: Int
    let kind: String
    let state: String
    let flow: String?
    let started_at: String
    let finished_at: String?
    let inserted: Int
    let updated: Int
    let unchanged: Int
    let quarantined: Int
    let skipped: Int

    init(_ run: RunSummary) {
        (id, kind, state, flow) = (run.id, run.kind, run.state, run.flow)
        (started_at, finished_at) = (run.startedAt.description, run.finishedAt?.description)
        (inserted, updated, unchanged) = (run.ledger.inserted, run.ledger.updated, run.ledger.unchanged)
        (quarantined, skipped) = (run.ledger.quarantined, run.ledger.skipped)
    }
}

struct ChangeRow: Encodable {
    let xid: Int
    let seq: Int
    let entity: String
    let id: Int
    let operation: String
    let run: Int?

    init(_ change: Change) {
        (xid, seq) = (change.position.transaction, change.position.sequence)
        (entity, id, operation, run) = (change.entity, change.id, change.operation, change.run)
    }
}

/// A file that a program handed over, and what became of it.
struct ImportAnswer: Encodable {
    struct Fault: Encodable {
        let line: Int?
        let field: String?
        let value: String?
        let code: String
        let message: String
    }

    let id: Int
    let name: String
    let size: Int
    let mapping: String?
    /// `waiting`, `running`, `succeeded`, `partial`, `stopped` or `failed`.
    let state: String
    var run: RunRow?
    var code: String?
    var message: String?
    var faults: [Fault] = []

    init(_ file: WaitingFile, state: String) {
        (id, name, size, mapping, self.state) = (file.id, file.name, file.size, file.mapping, state)
    }
}

/// What went wrong, for programs.
///
/// - Source: RFC 9457.
struct APIProblem: Encodable {
    /// One of several faults of a body.
    struct Fault: Encodable {
        let field: String
        let code: String
        let message: String
    }

    var type = "about:blank"
    let title: String
    let status: Int
    let detail: String?
    let code: String
    var field: String?
    var errors: [Fault]?

    /// A fault as an answer in somebody's language.
    init(_ diagnostic: Diagnostic, status: Int, _ words: Words?) {
        title = words?.message(diagnostic) ?? diagnostic.code
        detail = words?.hint(diagnostic)
        (self.status, code, field) = (status, diagnostic.code, diagnostic.place.field)
    }

    func response(headers: HTTPFields = [:]) throws -> Response {
        var response = try Response.json(self, status: .init(code: status), headers: headers)
        response.headers[.contentType] = "application/problem+json"
        return response
    }
}
