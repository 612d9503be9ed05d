// SPDX-License-Identifier: Apache-2.0
// What the next page says of what was just done, and how it is undone.

internal import Foundation
internal import Hummingbird

/// A message that is shown once, on the page behind a form.
struct Told: Codable, Sendable {
    /// What was done, in the visitor's language.
    var text: String
    /// The form that takes it back.
    var undo: String?

    private static let name = "relais_told"

    /// A cookie that lasts a minute; the page that shows it takes it away.
    func cookie(isSecure: Bool) -> Cookie? {
        guard let data = try? JSONEncoder().encode(self) else { return nil }
        return Cookie(
            name: Self.name, value: data.base64EncodedString().replacing("=", with: ""), maxAge: 60,
            path: "/",
            secure: isSecure, httpOnly: true, sameSite: .lax)
    }

    static func read(_ request: Request) -> Told? {
        guard let text = request.cookies[name]?.value, text.utf8.count < 2000,
            let data = Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)),
            var told = try? JSONDecoder().decode(Told.self, from: data)
        else { return nil }
        told.undo = Link.local(told.undo)
        return told
    }

    static func gone(isSecure: Bool) -> Cookie {
        Cookie(name: name, value: "", maxAge: 0, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax)
    }
}
