// SPDX-License-Identifier: Apache-2.0
// A request of WebDAV: who asks, of what, under which conditions.

internal import CRM
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import XML

/// A request whose sender is known.
struct DAVRequest: Sendable {
    /// How far it reaches.
    enum Depth: Sendable {
        case zero, one, infinity
    }

    let request: Request
    let user: AppUser
    let path: DAVPath

    /// Bytes of a body that is XML: the addresses of some ten thousand objects.
    private static let limit = 4 << 20

    private static let limits = {
        var limits = XMLLimits()
        (limits.depth, limits.elements, limits.text) = (32, 200_000, 256 << 10)
        return limits
    }()

    func header(_ name: String) -> String? { request.headers.value(name)?.trimmingBlanks }

    /// How far it reaches; nil where it does not say.
    ///
    /// - Throws: 400 for anything else than 0, 1 and infinity.
    func depth() throws(DAVRefusal) -> Depth? {
        guard let text = header("Depth")?.lowercased() else { return nil }
        switch text {
        case "0": return .zero
        case "1": return .one
        case "infinity": return .infinity
        default: throw .badRequest
        }
    }

    /// Whether a preference is among those of the request.
    ///
    /// - Source: RFC 7240; `Brief` is its elder, which programs of Apple and Microsoft send.
    func prefers(_ preference: String) -> Bool {
        if preference == "return=minimal", header("Brief")?.lowercased() == "t" { return true }
        return (header("Prefer") ?? "").split(separator: ",").contains {
            String($0).trimmingBlanks.lowercased().replacing("\"", with: "") == preference
        }
    }

    /// What must be true of the object.
    var condition: DAVCondition {
        var condition = DAVCondition()
        condition.match = header("If-Match").map(Self.tags)
        condition.noneMatch = header("If-None-Match").map(Self.tags)
        condition.scheduleTag = header("If-Schedule-Tag-Match").map { Self.tag($0[...]) }
        return condition
    }

    private static func tags(_ text: String) -> DAVCondition.Tags {
        text == "*" ? .any : .these(text.split(separator: ",").map(tag))
    }

    /// The tag without its quotes. Some programs lose these, some proxies weaken a tag or mark it as compressed.
    private static func tag(_ text: Substring) -> String {
        var text = String(text).trimmingBlanks
        if text.hasPrefix("W/") { text.removeFirst(2) }
        text = text.replacing("\"", with: "")
        for suffix in ["-gzip", "-df", ";gzip"] where text.hasSuffix(suffix) { text.removeLast(suffix.count) }
        return text
    }

    /// The bytes of the body.
    ///
    /// - Throws: 403 with the condition for more than the limit.
    func body(upTo limit: Int, orElse condition: XMLName) async throws -> [UInt8] {
        let refusal = DAVRefusal(.forbidden, condition)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw refusal }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            bytes.append(contentsOf: buffer.readableBytesView)
            guard bytes.count <= limit else { throw refusal }
        }
        return bytes
    }

    /// The body as XML; nil for none.
    ///
    /// - Throws: 400 for what is not well-formed, or has a DOCTYPE, or is larger than any honest one.
    func xml() async throws -> XMLTree? {
        let bytes: [UInt8]
        do {
            bytes = try await body(upTo: Self.limit, orElse: .dav("error"))
        } catch is DAVRefusal {
            throw DAVRefusal(.contentTooLarge)
        }
        guard !bytes.isEmpty else { return nil }
        do {
            return try XMLTree.parse(bytes, limits: Self.limits)
        } catch {
            throw DAVRefusal.badRequest
        }
    }
}
