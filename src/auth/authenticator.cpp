#include "auth/authenticator.h"

#include <string>
#include <utility>

#include "auth/key.h"
#include "base/text.h"

namespace weir::auth {
namespace {

// Each try but the first needs another revocation in the middle of the last one.
constexpr int kLoadTriesMax = 8;

// One answer for all: what is wrong with a key is its owner's business, not a guesser's.
Failure not_recognised() {
    return fail(Code::invalid_api_key,
                "The API key is missing, wrong, expired or revoked: send a good one as "
                "'Authorization: Bearer <key>'.");
}

Failure storage_away(std::string detail) {
    return fail(Code::storage_unavailable,
                "API keys cannot be checked right now; try again shortly.")
        .detail(std::move(detail))
        .retry_after(kStoreRetryAfter);
}

Failure too_many_keys() {
    return fail(Code::overloaded, "Too many API keys are in use; try again shortly.")
        .detail("key cache: every entry of the shard is in use")
        .retry_after(kStoreRetryAfter);
}

}  // namespace

Authenticator::Authenticator(const Clock& clock,
                             KeyRecords& records,
                             aio::BlockingPool& pool,
                             const Secret& pepper,
                             std::size_t cached_keys_max)
    : clock_(clock),
      records_(records),
      pool_(pool),
      pepper_(pepper),
      anonymous_(std::make_shared<const Identity>()),
      cache_(cached_keys_max) {}

aio::Maybe<Result<IdentityRef>> Authenticator::identify(Mode mode,
                                                        std::string_view credential,
                                                        aio::Deadline deadline) {
    if (auto known = find_cached(mode, credential)) {
        return std::move(*known);
    }
    return look_up(Secret(std::string(credential)), deadline);
}

aio::Task<Result<IdentityRef>> Authenticator::look_up(Secret credential, aio::Deadline deadline) {
    auto work = [this, credential = std::move(credential)] { return load(credential.reveal()); };
    auto found = co_await pool_.run(std::move(work), deadline);
    if (!found && found.error().code() == Code::request_timeout) {
        // Not the client that was slow.
        co_return storage_away("no answer before the deadline");
    }
    co_return found;
}

std::optional<Result<IdentityRef>> Authenticator::find_cached(Mode mode,
                                                              std::string_view credential) {
    if (mode == Mode::off) {
        return anonymous_;
    }
    if (credential.empty()) {
        if (mode == Mode::optional) {
            return anonymous_;
        }
        return not_recognised();
    }
    if (!has_key_shape(credential)) {
        return not_recognised();
    }
    const Digest hash = sha256(credential);
    Cached cached = cache_.find(hash, clock_);
    switch (cached.verdict) {
        case Verdict::unknown:
            return std::nullopt;
        case Verdict::invalid:
            return not_recognised();
        case Verdict::valid:
            if (cached.refresh_due) {
                refresh_in_background(credential, hash);
            }
            return std::move(cached.identity);
    }
    std::unreachable();
}

Result<IdentityRef> Authenticator::load(std::string_view credential) {
    if (!has_key_shape(credential)) {
        return not_recognised();
    }
    const Digest hash = sha256(credential);
    // Of many calls that waited for the same look-up, the first one made it for all.
    Cached cached = cache_.find(hash, clock_);
    switch (cached.verdict) {
        case Verdict::valid:
            if (!cached.refresh_due) {
                return std::move(cached.identity);
            }
            break;
        case Verdict::invalid:
            return not_recognised();
        case Verdict::unknown:
            break;
    }
    return ask_store(credential, hash);
}

Result<IdentityRef> Authenticator::ask_store(std::string_view credential, const Digest& hash) {
    const std::string digest = stored_digest(credential);
    for (int tries = 0; tries < kLoadTriesMax; ++tries) {
        const auto generation = cache_.generation();
        const SteadyTime asked_at = clock_.steady_now();
        auto found = records_.find_by_digest(digest);
        if (!found) {
            if (auto identity = cache_.keep_stale(hash, clock_)) {
                return identity;
            }
            return storage_away(found.error().message() + " " + found.error().detail());
        }
        // The database compares by its own rules (case, collation, padding); this one is exact.
        const bool matches =
            *found && equal_in_constant_time(sha256((*found)->digest), sha256(digest));
        if (!matches || !(*found)->valid_at(clock_.wall_now())) {
            cache_.reject(hash, clock_.steady_now());
            return not_recognised();
        }
        auto kept =
            cache_.keep(hash, std::move(**found), generation, asked_at, clock_.steady_now());
        switch (kept.outcome) {
            case KeyCache::Kept::Outcome::kept:
                if (!kept.identity->still_valid(clock_.wall_now())) {
                    return not_recognised();  // revoked here; the store's answer lags behind
                }
                return std::move(kept.identity);
            case KeyCache::Kept::Outcome::outdated:
                continue;
            case KeyCache::Kept::Outcome::full:
                return too_many_keys();
        }
    }
    cache_.refresh_failed(hash);
    return storage_away("keys are being revoked faster than one can be looked up");
}

// A key in steady use never waits for the store: its verdict is renewed while it is still good.
void Authenticator::refresh_in_background(std::string_view credential, const Digest& hash) {
    auto work = [this, hash, credential = Secret(std::string(credential))] {
        std::ignore = ask_store(credential.reveal(), hash);
    };
    if (!pool_.submit(std::move(work))) {
        cache_.refresh_failed(hash);
    }
}

std::string Authenticator::stored_digest(std::string_view credential) const {
    return to_hex(pepper_(credential));
}

void Authenticator::revoke(const Uuid& key) { cache_.revoke(key); }

void Authenticator::refresh(const Uuid& key) { cache_.refresh(key); }

std::size_t Authenticator::cached_keys() const { return cache_.size(); }

AdminKey::AdminKey(std::string_view stored_digest) {
    if (!stored_digest.empty()) {
        hash_ = sha256(stored_digest);
    }
}

bool AdminKey::matches(const Authenticator& authenticator, std::string_view credential) const {
    return hash_ && !credential.empty() &&
           equal_in_constant_time(sha256(authenticator.stored_digest(credential)), *hash_);
}

}  // namespace weir::auth
