// SPDX-License-Identifier: Apache-2.0
// Counts the requests of this process by route and status.

internal import Hummingbird
internal import Logging
internal import Synchronization

/// How many requests were answered how.
final class RequestCounts: Sendable {
    private struct Key: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private struct Sum {
        var count = 0
        var seconds = 0.0
    }

    private let sums = Mutex<[Key: Sum]>([:])

    func add(_ request: Request, route: String?, status: Int, _ duration: Duration) {
        // A route is the pattern that the path fits, so that callers cannot make up new ones; methods likewise.
        let isKnown = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].contains(request.method.rawValue)
        let key = Key(
            route: route ?? "none", method: isKnown ? request.method.rawValue : "other", status: status)
        sums.withLock { sums in
            sums[key, default: Sum()].count += 1
            sums[key, default: Sum()].seconds += duration / .seconds(1)
        }
    }

    var measures: [Measure] {
        let all = sums.withLock { $0 }.sorted { left, right in
            (left.key.route, left.key.method, left.key.status)
                < (right.key.route, right.key.method, right.key.status)
        }
        func samples(_ value: (Sum) -> Double) -> [Measure.Sample] {
            all.map { key, sum in
                Measure.Sample(
                    value(sum), .init("route", key.route), .init("method", key.method),
                    .init("status", String(key.status)))
            }
        }
        return [
            Measure(
                .counter, "relais_http_requests_total", "Requests answered, by route and status.",
                samples { Double($0.count) }),
            Measure(
                .counter, "relais_http_request_seconds_total", "Time until the answers began.",
                samples(\.seconds)),
        ]
    }
}

/// Counts every request.
struct CountRequests: RouterMiddleware {
    typealias Context = WebContext

    let counts: RequestCounts
    let logger: Logger

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let started = ContinuousClock.now
        let response = try await next(request, context)
        let duration = started.duration(to: .now)
        counts.add(request, route: context.endpointPath, status: response.status.code, duration)
        logger.debug(
            "request",
            metadata: [
                "route": .string(context.endpointPath ?? "none"),
                "status": .stringConvertible(response.status.code),
            ])
        return response
    }
}
