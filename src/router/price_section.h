// `price:` of a model or a target: what docs/prices.md describes, read into price::Rates. A service
// tier's share is turned into rates here, so that nothing is multiplied when a call is priced.
#pragma once

#include "config/types.h"
#include "price/rates.h"

namespace weir::router {

config::Type<price::Rates> price_type();

}  // namespace weir::router
