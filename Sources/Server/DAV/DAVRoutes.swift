// SPDX-License-Identifier: Apache-2.0
// `/dav`: agendas and address books for phones, Outlook and whoever else speaks CalDAV and CardDAV.

internal import CRM
internal import Diagnostics
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import XML

/// The methods of WebDAV; each has a file of its own.
struct DAVRoutes: Sendable {
    let pool: Pool
    /// Where floating times and days are.
    let zone: TimeZone
    let now: @Sendable () -> Timestamp
    /// Whether there are collections of plain files, for tests of the protocol.
    let hasFiles: Bool

    /// Bytes of an object.
    static let largest = 10 << 20

    /// What is understood.
    ///
    /// - Source: RFC 4918, 18 (no locks, so not 2); RFC 5689, 3; RFC 4791, 5.1; RFC 6352, 6.1.
    static let classes = "1, 3, access-control, extended-mkcol, calendar-access, addressbook"

    private static let methods = [
        "OPTIONS", "GET", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "MKCOL", "MKCALENDAR", "COPY", "MOVE",
        "REPORT",
    ]
    /// What is known and refused: whoever has no password is not even told that.
    private static let others = ["POST", "PATCH", "LOCK", "UNLOCK", "ACL"]

    func add(to router: Router<WebContext>) {
        for name in Self.methods + Self.others {
            guard let method = HTTPRequest.Method(name) else { continue }
            for path in ["\(DAVPath.root)", "\(DAVPath.root)/**"] {
                router.on(RouterPath(path), method: method) { request, _ in try await answer(request) }
            }
        }
        for name in ["OPTIONS", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR"] {
            guard let method = HTTPRequest.Method(name) else { continue }
            router.on("/", method: method) { request, _ in try await answerAtRoot(request) }
        }
        for name in Self.methods + ["POST"] {
            guard let method = HTTPRequest.Method(name) else { continue }
            for service in ["caldav", "carddav"] {
                router.on(RouterPath(".well-known/\(service)"), method: method) { _, _ in Self.elsewhere }
            }
        }
    }

    /// Where it begins.
    ///
    /// - Source: RFC 6764, 5.
    private static var elsewhere: Response {
        DAVAnswer.empty(
            .movedPermanently,
            [.location: DAVPath.href([], isCollection: true), .cacheControl: "max-age=3600"])
    }

    /// Programs that were given the name of the host only ask at its root.
    private func answerAtRoot(_ request: Request) async throws -> Response {
        guard try await user(of: request) != nil else { return Self.unauthorized }
        guard request.method == .options else { return Self.elsewhere }
        return DAVAnswer.empty(.ok, Self.fields)
    }

    // MARK: - Who asks

    private static var unauthorized: Response {
        DAVAnswer.empty(.unauthorized, [.wwwAuthenticate: "Basic realm=\"relais\", charset=\"UTF-8\""])
    }

    /// Whoever shows an app password that is his; human passwords open nothing here, and cost nothing.
    private func user(of request: Request) async throws -> AppUser? {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("basic "),
            let data = Data(base64Encoded: String(header.dropFirst(6)).trimmingBlanks),
            let text = String(data: data, encoding: .utf8), let colon = text.firstIndex(of: ":"),
            let token = SecretToken(String(text[text.index(after: colon)...]))
        else { return nil }
        let found = try await pool.withConnection {
            try await AccessTokens.find(token, .appPassword, on: $0)
        }
        guard let user = found?.user, user.login == text[..<colon].lowercased() else { return nil }
        return user
    }

    // MARK: - What is asked

    private static var fields: HTTPFields {
        var fields: HTTPFields = [:]
        fields.set("DAV", classes)
        fields.set("Allow", methods.joined(separator: ", ") + ", HEAD")
        return fields
    }

    private func answer(_ request: Request) async throws -> Response {
        guard let user = try await user(of: request) else { return Self.unauthorized }
        do {
            guard !request.uri.string.contains("#"), let path = DAVPath(request.uri.path) else {
                throw DAVRefusal.badRequest
            }
            return try await answer(DAVRequest(request: request, user: user, path: path))
        } catch let refusal as DAVRefusal {
            return refusal.response
        }
    }

    private func answer(_ asked: DAVRequest) async throws -> Response {
        switch asked.request.method.rawValue {
        case "OPTIONS": return DAVAnswer.empty(.ok, Self.fields)
        case "GET", "HEAD": return try await get(asked)
        case "PUT": return try await put(asked)
        case "DELETE": return try await delete(asked)
        case "PROPFIND": return try await propfind(asked)
        case "PROPPATCH": return try await proppatch(asked)
        case "MKCOL", "MKCALENDAR": return try await makeCollection(asked)
        case "COPY": return try await transfer(asked, moves: false)
        case "MOVE": return try await transfer(asked, moves: true)
        case "REPORT": return try await report(asked)
        default: throw notAllowed
        }
    }

    /// The method means nothing here.
    var notAllowed: DAVRefusal {
        var refusal = DAVRefusal(.methodNotAllowed)
        refusal.headers = Self.fields
        return refusal
    }

    // MARK: - Where

    /// What an address leads whoever asks to.
    func place(_ path: DAVPath, for user: AppUser) async throws -> DAVPlace {
        let steps = path.steps
        guard let first = steps.first else { return .root }
        if first == "principals" {
            guard steps.count > 1 else { return .principals }
            guard steps.count == 2 else { return .nowhere }
            let found = try await pool.withConnection { try await DAVPrincipals.find(steps[1], on: $0) }
            return found.map { .principal($0) } ?? .nowhere
        }
        guard let space = DAVSpace(rawValue: first), space != .files || hasFiles else { return .nowhere }
        guard steps.count > 1 else { return .homes(space) }
        guard steps[1] == user.login else { return .nowhere }
        guard steps.count > 2 else { return .home(space) }
        return try await pool.withConnection { connection in
            let found = try await DAVCollections.find(space.kind, steps[2], of: user.id, on: connection)
            guard var collection = found else { return steps.count == 3 ? .free(space, steps[2]) : .nowhere }
            for (index, step) in steps.enumerated().dropFirst(3) {
                let isLast = index == steps.count - 1
                if collection.kind == .plain,
                    let child = try await DAVCollections.find(
                        .plain, step, in: collection.id, of: user.id, on: connection)
                {
                    collection = child
                } else if isLast {
                    let object = try await DAVObjects.find(step, in: collection.id, on: connection)
                    return object.map { .object($0, collection) } ?? .vacant(collection, step)
                } else {
                    return .nowhere
                }
            }
            return .collection(collection)
        }
    }

    /// What is at an address, with that written as it should be.
    ///
    /// - Throws: 404.
    func node(_ path: DAVPath, for user: AppUser) async throws -> DAVNode {
        let place = try await place(path, for: user)
        switch place {
        case .free, .vacant, .nowhere: throw DAVRefusal.notFound
        case .object: return DAVNode(place: place, href: DAVPath.href(path.steps, isCollection: false))
        default: return DAVNode(place: place, href: DAVPath.href(path.steps, isCollection: true))
        }
    }
}
