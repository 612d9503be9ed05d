// SPDX-License-Identifier: Apache-2.0
// What a form sends, once it is known to be one of ours.

internal import Diagnostics
internal import Hummingbird
internal import NIOCore

/// The fields of a form, at most a megabyte together; of several of one name, in their order.
struct Form: Sendable {
    private static let limit = 1 << 20
    /// The field that proves that the form is ours.
    static let tokenField = "form"

    private let fields: [(name: String, value: String)]

    /// Reads a form of a visitor's session.
    ///
    /// - Throws: `HTTP-FORM` where the token is missing or of another session; `HTTP-REQUEST` for another type, or
    ///   for too much.
    init(of request: Request, _ context: WebContext) async throws {
        try await self.init(unproven: request)
        guard let visitor = context.visitor else { throw ServerError(.signInNeeded) }
        guard let token = self[Self.tokenField], visitor.isFormToken(token) else {
            throw ServerError(.form)
        }
    }

    /// Reads a form of somebody who has no session yet.
    init(unproven request: Request) async throws {
        guard request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true else {
            throw HTTPError(.unsupportedMediaType)
        }
        let body = try await request.body.collect(upTo: Self.limit)
        self.init(String(buffer: body))
    }

    /// The fields of a text like `a=1&b=2`.
    init(_ text: String) {
        fields = text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
        }
    }

    /// The first value of a field.
    subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    /// A field's text without blanks at its ends; empty where there is none.
    func text(_ name: String) -> String { (self[name] ?? "").trimmingBlanks }

    /// Whether a box is ticked.
    func isOn(_ name: String) -> Bool { self[name] != nil }

    /// All fields whose names begin so, without that beginning.
    func fields(_ prefix: String) -> [(name: String, value: String)] {
        fields.filter { $0.name.hasPrefix(prefix) }
            .map { (String($0.name.dropFirst(prefix.count)), $0.value) }
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if let value = UInt8(String(Substring(rest.prefix(2))), radix: 16), rest.count >= 2 {
                    bytes.append(value)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
        // No column of PostgreSQL holds it.
        return String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    }
}

extension String {
    /// Without white space at its ends.
    var trimmingBlanks: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
