// SPDX-License-Identifier: Apache-2.0
// PUT: an object as a program wants it; its bytes are kept as they come, so that what is returned is what was sent.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import ICalendar
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    /// - Source: RFC 4791, 5.3.2; RFC 6352, 6.3.2.
    func put(_ asked: DAVRequest) async throws -> Response {
        // A part of an object is no object (RFC 9110, 14.5).
        guard asked.header("Content-Range") == nil else { throw DAVRefusal.badRequest }
        let (collection, name) = try await target(asked)
        let terms = DAVTerms(collection.kind)
        let bytes = try await asked.body(upTo: Self.largest, orElse: terms.maxSize)
        let draft = try draft(name, bytes, in: collection, type: asked.header("Content-Type"))
        let outcome = try await pool.withConnection { connection in
            try await DAVObjects.put(
                draft, in: collection.id, if: asked.condition, by: asked.user.id, on: connection)
        }
        switch outcome {
        case .made(let object): return answer(to: asked, object, bytes, .created)
        case .replaced(let object), .same(let object): return answer(to: asked, object, bytes, .noContent)
        case .refused: return try await stale(asked, name, in: collection)
        case .taken(let other):
            let href = DAVPath.href(asked.path.steps.dropLast() + [other], isCollection: false)
            throw DAVRefusal(.forbidden, terms.uidConflict, href: href)
        case .gone: throw DAVRefusal.conflict
        }
    }

    /// Where an object is to be.
    private func target(_ asked: DAVRequest) async throws -> (collection: DAVCollection, name: String) {
        switch try await place(asked.path, for: asked.user) {
        case .object(let object, let collection): return (collection, object.name)
        case .vacant(let collection, let name): return (collection, name)
        case .nowhere:
            // Of somebody else's, nothing is told; in one's own, a collection is missing.
            throw asked.path.steps.dropFirst().first == asked.user.login
                ? DAVRefusal.conflict : DAVRefusal.notFound
        case .free(let space, _): throw space == .files ? DAVRefusal.forbidden : DAVRefusal.conflict
        default: throw notAllowed
        }
    }

    /// What a program sends, read as far as the collection needs.
    private func draft(
        _ name: String, _ bytes: [UInt8], in collection: DAVCollection, type: String?
    ) throws(DAVRefusal) -> DAVObjectDraft {
        let terms = DAVTerms(collection.kind)
        guard collection.kind != .plain else {
            return DAVObjectDraft(name: name, contentType: type ?? "application/octet-stream", bytes: bytes)
        }
        do {
            let draft = try DAVObjectDraft(
                name: name, reading: bytes, kind: collection.kind, zone: zone, now: now())
            guard collection.kind != .calendar || collection.components.contains(draft.component) else {
                throw DAVRefusal(.forbidden, .calendar("supported-calendar-component"))
            }
            return draft
        } catch let refusal as DAVRefusal {
            throw refusal
        } catch let error as ICalendarError {
            throw DAVRefusal(.forbidden, error.isAboutSyntax ? terms.validData : terms.validObject)
        } catch {
            throw DAVRefusal(.forbidden, terms.validData)
        }
    }

    private func answer(
        to asked: DAVRequest, _ object: DAVObject, _ bytes: [UInt8], _ status: HTTPResponse.Status
    ) -> Response {
        var headers = Self.fields(of: object)
        guard asked.prefers("return=representation") else { return DAVAnswer.empty(status, headers) }
        headers[.contentType] = object.contentType
        headers.set("Preference-Applied", "return=representation")
        return Response(
            status: status == .created ? .created : .ok, headers: headers,
            body: .init(byteBuffer: .init(bytes: bytes)))
    }

    /// - Source: RFC 8144, 3.2: what is there saves whoever wants it another request.
    private func stale(_ asked: DAVRequest, _ name: String, in collection: DAVCollection) async throws
        -> Response
    {
        guard asked.prefers("return=representation") else { throw DAVRefusal.stale }
        let content = try await pool.withConnection {
            try await DAVObjects.read(name, in: collection.id, on: $0)
        }
        guard let content else { throw DAVRefusal.stale }
        var response = Self.answer(content, status: .preconditionFailed)
        response.headers.set("Preference-Applied", "return=representation")
        return response
    }
}

/// What the conditions of a kind of collection are called.
struct DAVTerms {
    let validData: XMLName
    let validObject: XMLName
    let uidConflict: XMLName
    let maxSize: XMLName

    init(_ kind: DAVCollection.Kind) {
        switch kind {
        case .calendar:
            validData = .calendar("valid-calendar-data")
            validObject = .calendar("valid-calendar-object-resource")
            uidConflict = .calendar("no-uid-conflict")
            maxSize = .calendar("max-resource-size")
        case .addressbook, .plain:
            (validData, validObject) = (.card("valid-address-data"), .card("valid-address-data"))
            (uidConflict, maxSize) = (.card("no-uid-conflict"), .card("max-resource-size"))
        }
    }
}
