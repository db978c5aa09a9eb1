/**
 * What abstracts of all fields say again and again, the most usual last: known to both sides, it
 * need not be said in each of them. And what files of results have in common. `search/primed.py` reads both here.
 *
 * @module
 */

export const PHRASES = `characteristics of a number of whether project range of potential representation distribution
understanding of a new methods for into the is to particularly be used to that can human The
results applied communication applications. challenges to improve modeling results of networks
further information about they a variety of part of The proposed an important three is a within
properties individual general and their novel combination of as a state-of-the-art problem
especially designed the use of where support However, traditional algorithms over possible in
which address focus on to identify various in order to the first significantly the most
structures effective with a in this investigate the natural framework resources complex social
processing better is the current multiple generation In addition, systems. study of this of
these related across statistical in a large that are both to be through approaches provides by
the have been experimental existing that the several specific questions between the the
development of has been computational more based on of a experiments performance other analysis
of using techniques including can be learning available the proposed also models developed
knowledge training as well as data research different such as with the from the This for the on
the in the
`.replaceAll("\n", " ");

export const ROWS = `{"all":"publication"},{"all":0},[["","Proceedings of the Conference on and of the ","
International Journal of "],{"all":["{"all":[0,1,2,3,4,{"all":2019},{"all":20{"all":""},
{"all":"current"},{"all":"public"},{"all":0}]`.replaceAll("\n", " ");
