// SPDX-License-Identifier: Apache-2.0
// Why a request of WebDAV is not done, in the words of its standards.

internal import HTTPTypes
internal import Hummingbird
internal import XML

/// A status, and the condition that was not met.
struct DAVRefusal: Error {
    let status: HTTPResponse.Status
    /// The condition, as a standard names it.
    var condition: XMLName?
    /// What is in the way.
    var href: String?
    /// Elements inside the condition, as markup.
    var inside = ""
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ condition: XMLName? = nil, href: String? = nil) {
        (self.status, self.condition, self.href) = (status, condition, href)
    }

    var response: Response {
        var headers = headers
        guard let condition else {
            return Response(status: status, headers: headers, body: .init(byteBuffer: .init()))
        }
        var writer = DAVWriter()
        writer.raw(DAVAnswer.declaration + "<D:error\(DAVNamespace.declarations)>")
        let name = DAVNamespace.allCases.first { $0.uri == condition.namespace }?.rawValue ?? "D"
        writer.element("\(name):\(condition.local)") { writer in
            if let href { writer.href(href) }
            writer.raw(inside)
        }
        writer.raw("</D:error>")
        headers[.contentType] = DAVAnswer.contentType
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: .init(bytes: writer.bytes)))
    }

    static let badRequest = DAVRefusal(.badRequest)
    static let notFound = DAVRefusal(.notFound)
    static let forbidden = DAVRefusal(.forbidden)
    static let conflict = DAVRefusal(.conflict)
    static let stale = DAVRefusal(.preconditionFailed)
}

extension HTTPResponse.Status {
    /// RFC 4918, 11.1.
    static var multiStatus: Self { .init(code: 207, reasonPhrase: "Multi-Status") }
    /// RFC 4918, 11.4.
    static var failedDependency: Self { .init(code: 424, reasonPhrase: "Failed Dependency") }
    /// RFC 4918, 11.5.
    static var insufficientStorage: Self { .init(code: 507, reasonPhrase: "Insufficient Storage") }

    /// As an answer inside an answer writes it.
    var line: String { "HTTP/1.1 \(code) \(reasonPhrase)" }
}
